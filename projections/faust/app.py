"""Faust app of a worker."""

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsArg

from eventlog.settings import KafkaSecurity
from projections.faust.assignors import SoleOwnerAssignor
from projections.faust.faust_membership import FaustMembership
from projections.faust.settings import WorkerSettings
from projections.faust.transport import BatchApp

_LARGEST_REQUEST = 2 * 1_048_576


def build_membership(name: str, settings: WorkerSettings) -> FaustMembership:
    """A member of the consumer group `retrace.<name>`: no tables, no web server, no models."""
    scratch = settings.state_dir / "faust" / name
    scratch.parent.mkdir(parents=True, exist_ok=True)
    servers = settings.kafka.bootstrap_servers.split(",")
    app = BatchApp(
        f"{settings.kafka.topic_prefix}retrace.{name}",
        broker=[f"aiokafka://{server.strip()}" for server in servers],
        broker_client_id=f"retrace-{name}",
        broker_credentials=_credentials(settings.kafka.security),
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
        producer_max_request_size=_LARGEST_REQUEST,
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
    app.fetch_wait_ms, app.fetch_gathered = settings.fetch_wait_ms, settings.fetch_gathered
    app.first_at_once = settings.first_at_once
    app.assignor_class = SoleOwnerAssignor if settings.sole_owner else RoundRobinPartitionAssignor
    return FaustMembership(app)


def _credentials(security: KafkaSecurity) -> CredentialsArg | None:
    """None where nothing is asked for. Raises OSError for files that are no certificates."""
    context = security.context() if security.encrypted else None
    if security.with_password:
        # Faust reads the protocol from whether there is a context.
        return SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
