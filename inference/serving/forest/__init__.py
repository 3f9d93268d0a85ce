"""Forest of decision trees: as arrays, and as a graph of TensorFlow."""
