"""Fitting of the network: batches, the loop, checkpoints, several workers."""
