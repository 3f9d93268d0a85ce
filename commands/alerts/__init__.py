"""Alerts on their way out: routes, messages, channels, and when each may be sent."""
