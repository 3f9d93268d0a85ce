"""Import of history from files: reading, column binding, cleaning, labelling."""
