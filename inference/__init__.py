"""Models: their artefacts, training, scoring, evaluation and monitoring."""
