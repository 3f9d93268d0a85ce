"""The archive in S3, as in a folder."""
