"""Output of simulated traffic: files, tables, requests."""
