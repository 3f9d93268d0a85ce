"""Live traffic of the demo: sender, monitor and screen."""
