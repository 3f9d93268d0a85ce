"""Reports of backtests: one page for people, JSON and Parquet for machines."""
