"""Offline feature vectors: ideal values for training, and training-serving skew."""
