"""`retrace alerts`: what was raised, how it was delivered, and to send it again."""
