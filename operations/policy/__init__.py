"""Rules of the policy: read from files, checked, compared and published."""
