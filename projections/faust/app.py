"""Faust app of a worker, and its settings."""

from dataclasses import dataclass
from pathlib import Path

from projections.faust.transport import BatchApp

_ONE_MEGABYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`kafka_bootstrap_servers` is `host:port[,host:port]`; `state_dir` holds ledgers and scratch.

    `fetch_wait_ms` bounds how long a quiet partition waits behind a fetch of the others.
    `session_seconds` is how long a killed worker keeps its partitions from the next one.
    `stall_seconds` without progress under lag end the process, so that its supervisor restarts it.
    `topic_prefix` sets several logs on one server apart. A worker that comes back under the same
    `instance` has its partitions at once, without waiting for its dead predecessor's session.
    """

    kafka_bootstrap_servers: str
    state_dir: Path
    fetch_wait_ms: int = 100
    fetch_bytes: int = _ONE_MEGABYTE
    session_seconds: float = 10.0
    stall_seconds: float = 30.0
    topic_prefix: str = ""
    instance: str | None = None

    @property
    def ledgers(self) -> Path:
        return self.state_dir / "ledger"


def build_app(name: str, settings: WorkerSettings) -> BatchApp:
    """One consumer group, `retrace.<name>`: no tables, no web server, no models."""
    scratch = settings.state_dir / "faust" / name
    scratch.parent.mkdir(parents=True, exist_ok=True)
    servers = settings.kafka_bootstrap_servers.split(",")
    app = BatchApp(
        f"{settings.topic_prefix}retrace.{name}",
        broker=[f"aiokafka://{server.strip()}" for server in servers],
        broker_client_id=f"retrace-{name}",
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.session_seconds / 5,
        broker_rebalance_timeout=30.0,
        broker_commit_interval=1.0,
        # Faust only logs when these pass; our watchdog acts.
        stream_processing_timeout=3600.0,
        broker_commit_livelock_soft_timeout=3600.0,
        consumer_max_fetch_size=settings.fetch_bytes,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=0.0,
        producer_max_request_size=2 * _ONE_MEGABYTE,
        producer_compression_type="lz4",
        # A message is a batch: a few in memory are enough.
        stream_buffer_maxsize=8,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        store="memory://",
        datadir=str(scratch),
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.topic_prefix = settings.topic_prefix
    app.fetch_wait_ms = settings.fetch_wait_ms
    return app
