"""Training frames: vectors and labels as known at one moment."""
