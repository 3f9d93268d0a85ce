"""Online feature states: routed, folded and read for decisions."""
