"""The network and the loop that fits it."""
