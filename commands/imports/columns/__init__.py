"""Rows of a batch, cleaned column by column."""
