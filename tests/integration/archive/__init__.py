"""Owns the proof that the archive lies as well in S3 as in a folder."""
