"""Each lie about alerts is found, by the check that is meant."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.events import AlertRaised
from domain.times import DAY, HOUR
from eventlog.codec import decode
from faults.audit.evidence import Evidence, Post
from tests.builders.evidence import System, found

Lie = Callable[[Evidence], Evidence]


def alert_ids(evidence: Evidence) -> list[str]:
    decoded = [decode(r.value) for records in evidence.alerts for r in records if r.key]
    return sorted({e.id for e in decoded if isinstance(e.data, AlertRaised)})


def without_alert(evidence: Evidence) -> Evidence:
    first = alert_ids(evidence)[0]
    kept = [[r for r in records if first.encode() not in r.value] for records in evidence.alerts]
    posts = [post for post in evidence.posts or () if post.key != first]
    return replace(evidence, alerts=kept, posts=posts, read_models={})


def without_delivery(evidence: Evidence) -> Evidence:
    kept = [[r for r in rs if b"fraud.alert.delivered" not in r.value] for rs in evidence.alerts]
    return replace(evidence, alerts=kept, read_models={})


def other_reasons(evidence: Evidence) -> Evidence:
    changed = [
        [replace(r, value=r.value.replace(b'"score":0.25', b'"score":0.75')) for r in records]
        for records in evidence.alerts
    ]
    return replace(evidence, alerts=changed)


def posted(evidence: Evidence, key: str, after: int) -> Evidence:
    post = Post(key=key, at=evidence.now + after)
    return replace(evidence, posts=[*(evidence.posts or ()), post])


LIES: dict[str, tuple[Lie, str]] = {
    "never raised": (without_alert, "no alert is in the log"),
    "of something else": (other_reasons, "says something else than the decision"),
    "never recorded as delivered": (without_delivery, "never recorded as delivered"),
    "never taken": (
        lambda e: replace(e, posts=[replace(p, taken=False) for p in e.posts or ()]),
        "the receiver never took it",
    ),
    "posted and never raised": (lambda e: posted(e, "alert of nothing", 0), "never raised"),
    "posted again after its delivery": (
        lambda e: posted(e, alert_ids(e)[0], HOUR),
        "after it was delivered",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_an_alert_is_found(name: str, evidence: Evidence) -> None:
    lie, words = LIES[name]
    findings = found(lie(evidence))
    assert list(findings) == ["alerts"]
    assert words in findings["alerts"][0]


def test_an_alert_that_no_decision_asks_for_is_found() -> None:
    system = System()
    decision = system.pay(3)
    system.alert(replace(decision, data=replace(decision.data, outcome="review")))
    findings = found(system.evidence())
    assert list(findings) == ["alerts"]
    assert "no decision that counts asks for it" in findings["alerts"][0]


def test_an_alert_is_given_up_after_a_day(evidence: Evidence) -> None:
    late = replace(without_delivery(evidence), now=evidence.now + 2 * DAY)
    assert found(late) == {}
