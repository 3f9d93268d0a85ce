"""Rules: three-valued conditions over a transaction, its features and its score."""
