"""Clients of the stores of models: MLflow."""
