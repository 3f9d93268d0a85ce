"""Submission, scoring and decision of transactions."""
