"""The tables of the read models, and the writes to them."""
