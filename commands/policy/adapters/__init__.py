"""Adapters of the policy: the language of the rules."""
