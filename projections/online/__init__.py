"""Feature states for decisions: routed, folded, read."""
