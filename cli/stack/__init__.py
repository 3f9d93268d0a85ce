"""`retrace up`, `down`, `status` and `logs`: the local stack."""
