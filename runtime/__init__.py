"""Owns what makes Retrace run: settings, wiring, the CLI and the local stack. No rule of fraud."""
