"""Owns models: artefacts, training, scoring; the decision is that of commands and policy."""
