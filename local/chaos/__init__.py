"""Faults on real servers: an installation of its own, traffic, what breaks, and the audit."""
