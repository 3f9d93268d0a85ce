"""Training of models: frames, runs, worker processes and retraining."""
