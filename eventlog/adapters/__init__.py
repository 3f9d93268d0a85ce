"""Kafka adapters of the log; they alone import confluent_kafka."""
