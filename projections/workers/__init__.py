"""Owns the Faust workers: transport in batches, positions kept with the state, what is folded."""
