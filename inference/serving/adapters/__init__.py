"""Scorers of each runtime: LiteRT, TensorFlow and TensorFlow Serving."""
