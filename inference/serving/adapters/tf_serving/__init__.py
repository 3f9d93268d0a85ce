"""Scoring by a TensorFlow Serving server, over gRPC or REST, without TensorFlow here."""
