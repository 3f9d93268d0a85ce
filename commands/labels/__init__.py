"""Labels of transactions, and the retry of early ones."""
