"""Evidence: raw payloads and attributes."""
