"""Owns the adapters of the log; `kafka*.py` alone import confluent_kafka."""
