"""Owns the steps from one shape of the PostgreSQL tables to the next."""
