"""Raw payloads and attributes, kept as evidence."""
