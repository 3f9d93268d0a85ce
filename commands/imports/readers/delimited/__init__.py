"""Reader of CSV: dialect, quotes, damaged lines."""
