"""Owns the PostgreSQL read models: tables, the folds that fill them, and the queries."""
