"""Owns the adapters of inference; `tensorflow.py` alone imports TensorFlow here."""
