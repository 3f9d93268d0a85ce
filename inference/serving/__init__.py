"""Scoring with a trained model, and the reasons of a score."""
