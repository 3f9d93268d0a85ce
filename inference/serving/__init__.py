"""Scorers: LiteRT, TensorFlow, TensorFlow Serving, and reasons."""
