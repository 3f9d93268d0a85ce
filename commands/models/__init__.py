"""Models in the log: commands about them, and the registry."""
