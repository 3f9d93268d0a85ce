"""Owns the archive: the transactions of the log in Parquet files, written once and read as history.

The log stays the truth: what the archive holds is a copy by position, with the verdict of the void
rule and the columns that features fold. Who writes when is projections.archive.worker's.
"""
