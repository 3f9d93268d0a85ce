"""Owns making a model from vectors and labels; TensorFlow is imported inside functions."""
