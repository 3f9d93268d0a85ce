"""Which features are served: the fact that says so on the policy topic."""
