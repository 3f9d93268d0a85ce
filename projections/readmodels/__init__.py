"""Read models in PostgreSQL: tables, the folds that fill them, and queries."""
