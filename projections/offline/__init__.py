"""Feature vectors of the ideal set, for training."""
