"""Command: record a backtest, with what its policies said; and all that were recorded."""

import hashlib
import logging
from collections.abc import Iterator

import msgspec

from commands.policy.topic import Published, append_fact
from domain.errors import IntegrityError, InvalidInputError, NotFoundError, UndecodableError
from domain.events import BacktestCompleted, BacktestPolicyKept, Envelope, PolicyContent
from eventlog.codec import decode
from eventlog.port import EventLog
from eventlog.topics import BACKTESTS

logger = logging.getLogger(__name__)

SOURCE = "retrace/backtests"
MOST_BYTES = 16_000_000
"""Of what one policy says, with the entries of its lists."""

# A character takes up to four bytes, and a record of the log two million.
_PART = 400_000
_NO_FEATURES = b',"features":""}'


def content_hash(content: PolicyContent) -> str:
    """SHA-256 of what a policy says."""
    return hashlib.sha256(_encoded(content)).hexdigest()


def check_size(content: PolicyContent, name: str) -> None:
    """Raises InvalidInputError for more than is kept."""
    size = len(_encoded(content))
    if size > MOST_BYTES:
        raise InvalidInputError(
            "--policy",
            f"{name} has {size:,} bytes, and a record of a backtest at most {MOST_BYTES:,}: import"
            " long lists by themselves, with `retrace policy lists import`, or try it with"
            " --no-record",
        )


def keep_policy(log: EventLog, content: PolicyContent, known_time: int) -> str:
    """Its hash, once all of it is in the log. Raises LogUnavailableError; again is harmless."""
    named = content_hash(content)
    if all(each.content_hash != named for each in _whole(log)):
        text = _encoded(content).decode()
        cut = [text[at : at + _PART] for at in range(0, len(text), _PART)]
        for number, part in enumerate(cut):
            fact = BacktestPolicyKept(content_hash=named, part=number, parts=len(cut), text=part)
            event_id = f"{fact.NAME}/{named}/{number}"
            append_fact(log, fact, event_id, SOURCE, named, known_time, BACKTESTS)
    return named


def kept_policy(log: EventLog, named: str) -> PolicyContent:
    """What the policy of that hash said.

    Raises NotFoundError, LogUnavailableError, IntegrityError where it is not what it was.
    """
    parts = {
        each.data.part: each.data
        for each in _facts(log)
        if isinstance(each.data, BacktestPolicyKept) and each.data.content_hash == named
    }
    if not parts or len(parts) < parts[0].parts:
        raise NotFoundError("policy of a backtest", named)
    said = "".join(parts[number].text for number in range(parts[0].parts)).encode()
    if hashlib.sha256(said).hexdigest() != named:
        raise IntegrityError(f"{BACKTESTS.name} holds another text of the policy {named}")
    try:
        return msgspec.json.decode(said, type=PolicyContent)
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"this version cannot read the policy {named}: {error}") from error


def record_backtest(log: EventLog, fact: BacktestCompleted, known_time: int) -> None:
    """Once its policies are kept. Raises LogUnavailableError; again is harmless."""
    event_id = f"{fact.NAME}/{fact.backtest_id}"
    append_fact(log, fact, event_id, SOURCE, fact.backtest_id, known_time, BACKTESTS)


def recorded_backtests(log: EventLog) -> list[Published[BacktestCompleted]]:
    """The oldest first. Raises LogUnavailableError."""
    return [
        Published(number, each.known_time, each.data)
        for number, each in enumerate(_facts(log))
        if isinstance(each.data, BacktestCompleted)
    ]


def recorded_backtest(log: EventLog, named: str) -> BacktestCompleted:
    """By its id, or the beginning of it. Raises NotFoundError, InvalidInputError for several."""
    facts = [each.fact for each in recorded_backtests(log)]
    found = [fact for fact in facts if named and fact.backtest_id.startswith(named)]
    if not found:
        raise NotFoundError("backtest", named)
    if len(found) > 1:
        raise InvalidInputError("ID", f"{len(found)} backtests begin with {named}")
    return found[0]


def _whole(log: EventLog) -> Iterator[BacktestPolicyKept]:
    """The last part of each policy, which is written last."""
    for each in _facts(log):
        if isinstance(each.data, BacktestPolicyKept) and each.data.part == each.data.parts - 1:
            yield each.data


def _facts(log: EventLog) -> Iterator[Envelope]:
    """The first of each event id; what this version cannot decode is skipped."""
    seen: set[str] = set()
    for recorded in log.read(BACKTESTS):
        try:
            fact = decode(recorded.value)
        except UndecodableError as error:
            logger.error("backtests: offset %d is skipped: %s", recorded.position.offset, error)
            continue
        if fact.id not in seen:
            seen.add(fact.id)
            yield fact


def _encoded(content: PolicyContent) -> bytes:
    said = msgspec.json.encode(content, order="deterministic")
    # What was kept before there were features in a folder keeps its hash.
    return said if content.features else said.removesuffix(_NO_FEATURES) + b"}"
