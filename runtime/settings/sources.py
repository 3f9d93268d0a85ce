"""Where settings come from on AWS, by variable: what deploy/aws makes; env.example says so."""

_SECRET = "key of the secret retrace/settings in Secrets Manager"

AWS_SOURCES = {
    "KAFKA_BOOTSTRAP_SERVERS": "aws kafka get-bootstrap-brokers, of the output KafkaCluster",
    "RETRACE_KAFKA_REPLICATION": "3, a copy in each zone",
    "RETRACE_KAFKA_MIN_ISR": "2",
    "DATABASE_URL": f"{_SECRET} (RDS)",
    "REDIS_URL": f"{_SECRET} (ElastiCache)",
    "MONGODB_URL": f"{_SECRET} (DocumentDB)",
    "RETRACE_TOKEN_KEY": f"{_SECRET}, made once",
    "RETRACE_DIGEST_KEY": f"{_SECRET}, made once",
    "RETRACE_DEAD_LETTER_KEY": f"{_SECRET}, made once",
    "RETRACE_ARCHIVE_URL": "the output ArchiveUrl (S3)",
    "RETRACE_MODELS_URL": "the output ModelsUrl (S3)",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "a collector of yours",
}
