"""Training: frames, runs and worker processes."""
