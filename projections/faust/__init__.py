"""Faust workers: app, transport in batches, assignment, admission, watchdog."""
