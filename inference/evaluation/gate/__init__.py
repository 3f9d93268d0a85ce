"""Gate of a new model: whether it is at least as good as the one in force, beyond noise."""
