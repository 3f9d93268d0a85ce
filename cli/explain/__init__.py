"""`retrace explain`: one payment, why it was decided so, and what would have changed that."""
