"""The archive of the log as Parquet."""
