"""Evaluation of a model: metrics, costs, champion and challenger, model card."""
