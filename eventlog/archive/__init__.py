"""Archive: the transactions of the log in Parquet files, written once and read as history.

The log stays the truth: what the archive holds is a copy by position, with the status that
admission gave and the columns that features fold. The writer is projections/archive/worker.py.
"""
