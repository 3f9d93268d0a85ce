"""Servers, disks and networks as the ports see them, with the faults that the real ones have."""
