"""Simulated card traffic with its frauds and labels, a function of the settings alone."""
