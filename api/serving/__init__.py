"""What stands before the routes: hot routes, the gate of decisions, durations."""
