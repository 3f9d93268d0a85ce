"""The published schemas of events: JSON Schema and AsyncAPI."""
