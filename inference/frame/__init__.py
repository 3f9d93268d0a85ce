"""Training frames: vectors and labels as known at one moment, from each source."""
