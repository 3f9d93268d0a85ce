"""Alerts: each decision that alerts raises one alert, which is delivered, and then rests."""

from collections.abc import Iterator, Sequence

from commands.agents.alert_delivery import WITHIN_US
from domain.alerts import alert_of
from domain.events import AlertRaised, Envelope
from faults.audit.evidence import Evidence, Finding, Post
from faults.audit.reading import Fact, Raised, Reading

CHECK = "alerts"


def check_alerts(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    yield from _raised(reading)
    if evidence.posts is not None:
        yield from _delivered(evidence, evidence.posts, reading)


def _raised(reading: Reading) -> Iterator[Finding]:
    due: dict[str, list[tuple[Fact, Envelope]]] = {}
    for _, fact in reading.decisions():
        alert = alert_of(fact.envelope, "", 0)
        if alert is not None:
            due.setdefault(alert.id, []).append((fact, alert))
    for alert_id, decisions in due.items():
        told = [each.alert.envelope.data for each in reading.raised.get(alert_id, ())]
        for fact, alert in decisions:
            where = f"{fact.envelope.subject}, decided at {fact}"
            if not told:
                yield Finding(CHECK, f"{where}: no alert is in the log", "lost")
            elif alert.data not in told:
                yield Finding(CHECK, f"{where}: its alert says something else than the decision")
    for alert_id, raised in reading.raised.items():
        if isinstance(raised[0].alert.envelope.data, AlertRaised) and alert_id not in due:
            yield Finding(CHECK, f"{alert_id}: raised and no decision that counts asks for it")


def _delivered(evidence: Evidence, posts: Sequence[Post], reading: Reading) -> Iterator[Finding]:
    by_key: dict[str, list[Post]] = {}
    for post in posts:
        by_key.setdefault(post.key, []).append(post)
    for key in sorted(by_key.keys() - reading.raised.keys()):
        yield Finding(CHECK, f"{key}: posted and never raised")
    for alert_id, raised in reading.raised.items():
        mine = by_key.get(alert_id, [])
        yield from _one(evidence, alert_id, raised, mine)


def _one(
    evidence: Evidence, alert_id: str, raised: Sequence[Raised], posts: Sequence[Post]
) -> Iterator[Finding]:
    taken = any(post.taken for post in posts)
    last = raised[-1]
    given_up = evidence.now - last.alert.envelope.known_time > WITHIN_US
    if last.delivery is None:
        if not given_up:
            told = "taken by the receiver" if taken else f"posted {len(posts)} times"
            yield Finding(CHECK, f"{alert_id}: {told} and never recorded as delivered", "lost")
        return
    if not taken:
        what = f"{alert_id}: recorded as delivered, and the receiver never took it"
        yield Finding(CHECK, what, "lost")
    rests = last.delivery.envelope.known_time + evidence.repeats
    late = [post.at for post in posts if post.at > rests]
    if late:
        after = late[0] - last.delivery.envelope.known_time
        what = f"{alert_id}: posted again {after} us after it was delivered"
        yield Finding(CHECK, what, "doubled")
