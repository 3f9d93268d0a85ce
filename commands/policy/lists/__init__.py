"""Lists of the policy: changes of their entries, and the entries as they were written."""
