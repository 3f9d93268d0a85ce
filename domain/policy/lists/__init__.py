"""Lists: entries that a transaction's fields are looked up among, as of its time."""
