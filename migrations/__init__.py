"""Alembic migrations of the PostgreSQL tables."""
