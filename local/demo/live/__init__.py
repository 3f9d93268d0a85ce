"""The live part of the demo: traffic, and what is seen of it."""
