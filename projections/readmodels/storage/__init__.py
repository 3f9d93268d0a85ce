"""Tables of the read models, connections, and positions."""
