"""Command: draft a policy; and the drafts that there are."""

import re

from commands.policy.rules import SOURCE
from commands.policy.topic import Published, append_fact, current_policy, published
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Envelope, PolicyContent, PolicyDrafted
from eventlog.codec import encode
from eventlog.port import EventLog

MOST_BYTES = 1_000_000
"""Of a draft, and of sets that come into force together; the log takes records of twice as many."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


def draft_policy(
    log: EventLog, name: str, content: PolicyContent, reason: str, by: str, known_time: int
) -> int:
    """Keeps a checked policy under a name; it takes the place of an earlier one. Its position.

    Where the last draft of the name is the same, that one's. Raises InvalidInputError for a name
    that cannot be typed and for content that is too large, and LogUnavailableError, after which a
    repetition is harmless.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError("name", "expected a-z, 0-9, - . and _, at most 64")
    known = drafts(log).get(name)
    if known is not None and known.fact.content == content:
        return known.version
    fact = PolicyDrafted(name=name, content=content, reason=reason, by=by)
    _check_size(fact)
    event_id = f"{fact.NAME}/{name}/{current_policy(log).version + 1}"
    append_fact(log, fact, event_id, SOURCE, name, known_time)
    return draft_named(log, name).version


def drafts(log: EventLog) -> dict[str, Published[PolicyDrafted]]:
    """The last one of each name, the newest last. Raises LogUnavailableError."""
    found: dict[str, Published[PolicyDrafted]] = {}
    for each in published(log, PolicyDrafted):
        found.pop(each.fact.name, None)
        found[each.fact.name] = each
    return found


def draft_named(log: EventLog, name: str) -> Published[PolicyDrafted]:
    """Raises NotFoundError, LogUnavailableError."""
    found = drafts(log).get(name)
    if found is None:
        raise NotFoundError("draft of the policy", name)
    return found


def _check_size(fact: PolicyDrafted) -> None:
    nowhere = Envelope(
        id="", source="", subject="", time=0, known_time=0, data=fact, correlation_id=""
    )
    size = len(encode(nowhere))
    if size > MOST_BYTES:
        raise InvalidInputError(
            "policy",
            f"a draft has at most {MOST_BYTES:,} bytes, and this one {size:,}:"
            " import long lists by themselves, with `retrace policy lists import`",
        )
