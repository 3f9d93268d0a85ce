"""Kafka's errors translated into ours; every text names the server."""

from time import monotonic

from confluent_kafka import KafkaError, KafkaException

from domain.errors import IntegrityError, LogUnavailableError, RetraceError
from eventlog.settings import KafkaSettings

_NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
_TOO_BIG = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)

_REFUSED_SECONDS = 30.0
_refusals: dict[str, tuple[float, str]] = {}


def no_append(error: KafkaError, topic: str, settings: KafkaSettings) -> RetraceError:
    """Why a record was not acknowledged."""
    server, code = settings.bootstrap_servers, error.code()
    if code in _NO_TOPIC:
        return missing_topic(topic, settings)
    if code == KafkaError._UNKNOWN_PARTITION:
        return IntegrityError(
            f"topic {topic} on {server} has fewer partitions than declared. {_REMEDY}"
        )
    if code in _TOO_BIG:
        return IntegrityError(f"a record for {topic} is larger than {server} takes: {error.str()}")
    if code == KafkaError._MSG_TIMED_OUT:
        return LogUnavailableError(
            f"{server} did not acknowledge a record for {topic} within "
            f"{settings.delivery_timeout:g} s; it may be stored or not, and a retry under the "
            "same id is safe"
        )
    return LogUnavailableError(
        f"{server} did not acknowledge a record for {topic} ({error.str()}); a retry under the "
        "same id is safe"
    )


def no_answer(error: Exception | KafkaError, doing: str, settings: KafkaSettings) -> RetraceError:
    """Why a question was not answered."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    text = cause.str() if isinstance(cause, KafkaError) else str(cause) or type(cause).__name__
    at, refused = _refusals.get(settings.bootstrap_servers, (0.0, ""))
    lately = refused and monotonic() - at < _REFUSED_SECONDS
    why = f": {refused} (KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_*, KAFKA_SASL_*)" if lately else ""
    return LogUnavailableError(f"{settings.bootstrap_servers} cannot {doing}: {text}{why}")


def note_refusal(servers: str, text: str) -> None:
    """Requests only time out where a server turns its clients away: why is told apart from them."""
    _refusals[servers] = monotonic(), text


def missing_topic(topic: str, settings: KafkaSettings) -> RetraceError:
    return LogUnavailableError(
        f"{settings.bootstrap_servers} has no topic {topic}: `retrace up` creates it"
    )


def wrong_partitions(
    topic: str, stored: int, declared: int, settings: KafkaSettings
) -> IntegrityError:
    return IntegrityError(
        f"topic {topic} on {settings.bootstrap_servers} has {stored} partitions, declared are "
        f"{declared} (eventlog/topics.py). {_REMEDY}"
    )


def out_of_range(topic: str, partition: int, offset: int, settings: KafkaSettings) -> RetraceError:
    return IntegrityError(
        f"{topic}/{partition} on {settings.bootstrap_servers} does not hold offset {offset}: it "
        "has expired, or the position belongs to another log. Drop the state that holds the "
        "position, so that it is rebuilt from the log"
    )


_REMEDY = (
    "A partition count never changes: point KAFKA_BOOTSTRAP_SERVERS at the right server, or begin "
    "a new generation of the topic"
)
