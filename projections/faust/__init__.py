"""Faust: the app, its transport in batches, and the life of a worker."""
