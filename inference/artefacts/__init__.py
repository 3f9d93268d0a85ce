"""Models as files: stored by content hash, shared, described."""
