"""Owns scoring through a TensorFlow Serving server, over gRPC or REST; imports no TensorFlow."""
