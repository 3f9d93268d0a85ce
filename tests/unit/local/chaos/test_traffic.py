"""Traffic of `retrace chaos`: asked again until answered, and noted as it was answered."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import pytest

from domain.times import from_rfc3339
from faults.audit.evidence import Answer
from host.processes import wait_until
from host.threads import SYSTEM
from local.chaos.traffic import Traffic

Reply = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]
AT = "2026-01-05T10:00:00.000001Z"
DECISION = {
    "score": 0.25,
    "outcome": "approve",
    "reasons": [{"code": "known_card", "text": "The card is known."}],
    "path": "full",
    "flags": [],
    "model_id": "m-1",
    "policy_version": 3,
    "decided_at": AT,
}
RECEIPTS: dict[str, dict[str, Any]] = {
    "/score": DECISION,
    "/transactions": {"recorded": False},
    "/labels": {"label_id": "l-1", "status": "recorded"},
}


@contextmanager
def api(reply: Reply) -> Iterator[str]:
    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, told = reply(self.path, sent)
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        joined = SYSTEM.start(server.serve_forever, "api")
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        joined(10.0)


def sent_to(reply: Reply, answers: int) -> Traffic:
    """Traffic that got so many answers, or more, and has come to its end."""
    with api(reply) as url:
        traffic = Traffic(url, 500, lambda payload: f"digest of {payload['amount']}", Random(1))
        with traffic.running():
            traffic.flow()
            assert wait_until(lambda: len(traffic.answers) >= answers, 20)
            assert traffic.stop(20)
            stopped = len(traffic.answers)
        assert len(traffic.answers) == stopped
    return traffic


def of(kind: str, traffic: Traffic) -> list[Answer]:
    return [answer for answer in traffic.answers if answer.kind == kind]


def test_answers_are_noted_as_they_were_given() -> None:
    traffic = sent_to(lambda path, _: (200, RECEIPTS[path]), 60)
    shown = of("scored", traffic)[0].shown
    assert shown is not None
    assert (shown.score, shown.reasons, shown.policy_version) == (0.25, ("known_card",), 3)
    assert shown.known_time == traffic.decided == from_rfc3339(AT)
    assert not of("submitted", traffic)[0].duplicate
    assert {answer.label_id for answer in of("label", traffic)} == {"l-1"}
    assert of("scored", traffic)[0].digest in {f"digest of {n}" for n in (1, 5, 20, 300, 700, 950)}
    assert (traffic.unavailable, traffic.strange) == (0, Counter())


def test_what_is_not_answered_is_asked_again_with_the_same_content() -> None:
    sent: dict[str, list[dict[str, Any]]] = {}

    def reply(path: str, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        tries = sent.setdefault(payload["transaction_id"], [])
        tries.append(payload)
        return (503, {}) if len(tries) == 1 else (200, RECEIPTS[path])

    traffic = sent_to(reply, 20)
    assert traffic.unavailable == len(sent)
    assert all(len(tries) > 1 and tries[0] == tries[1] for tries in sent.values())


@pytest.mark.parametrize("incomplete", [{"flags": ["stale_features"]}, {"path": "deadline"}])
def test_a_decision_that_lacks_something_is_none_in_full(incomplete: dict[str, Any]) -> None:
    receipts = RECEIPTS | {"/score": DECISION | incomplete}
    assert sent_to(lambda path, _: (200, receipts[path]), 20).decided == 0


def test_a_conflict_is_a_refusal_and_any_other_error_is_strange() -> None:
    def reply(path: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return (409, {}) if path == "/score" else (500, {"title": "broken"})

    traffic = sent_to(reply, 20)
    assert {answer.kind for answer in traffic.answers} == {"refused"}
    assert '/transactions answered 500: {"title": "broken"}' in traffic.strange
