"""Alert storms of the past: pages, digests and delays, had alerts gone out by given routes."""
