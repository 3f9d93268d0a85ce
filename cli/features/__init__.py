"""`retrace features`: proofs, rebuilds and exports of features."""
