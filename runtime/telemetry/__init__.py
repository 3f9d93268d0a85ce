"""Telemetry: what a process shows of itself, as metrics, health and traces."""
