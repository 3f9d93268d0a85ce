"""A challenger beside the champion under traffic: shadow, roll-out, promotion, rollback."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import psycopg

from domain.policy.rollout import in_roll_out
from tests.e2e.stack import RunningStack, body, eventually, score
from tests.fakes.payments import START, TAUGHT

LIVE, LATER = "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"  # other tests send on other days
SHARE = 3_000
# Traffic is to flow, not to take all there is: commands are started beside it.
_PAUSE_SECONDS = 0.03


@dataclass
class Traffic:
    """What was sent and answered so far, by one client."""

    name: str
    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def more(self, count: int) -> None:
        """Returns once so many more were answered."""
        wanted = len(self.sent) + count
        eventually(lambda: len(self.sent) >= wanted or self.failed)


@contextmanager
def traffic(stack: RunningStack, name: str) -> Iterator[Traffic]:
    stop, told = Event(), Traffic(name)

    def send() -> None:
        with stack.client() as client:
            while not stop.is_set():
                n = len(told.sent)
                at = f"2026-05-01T10:{n // 60 % 60:02}:{n % 60:02}Z"
                given = body(f"{name}-{n}", timestamp=at, customer_id=f"taught-customer-{n % 40}",
                             amount=10 + n % 997)  # fmt: skip
                answer = score(client, given)
                if answer.status_code != 200:
                    told.failed.append(answer.text)
                told.sent.append(f"{name}-{n}")
                stop.wait(_PAUSE_SECONDS)

    sender = Thread(target=send)
    sender.start()
    try:
        told.more(20)
        yield told
    finally:
        stop.set()
        sender.join(60)
    assert told.failed == []


def decisions(client: httpx.Client, ids: list[str]) -> list[dict[str, Any]]:
    return [client.get(f"/decisions/{name}").json() for name in ids]


def in_force(stack: RunningStack) -> str:
    listed = json.loads(stack.retrace("models", "list", "--json").stdout)
    return next(str(each["model_id"]) for each in listed if each["state"] == "in force")


def test_a_roll_out_decides_its_share_by_the_hash_of_the_id_until_it_is_stopped(
    stack: RunningStack, taught: dict[str, Any]
) -> None:
    name, champion = taught["model_id"], in_force(stack)
    with traffic(stack, "shared") as told:
        stack.retrace("models", "roll-out", name, "--share", f"{SHARE / 100}%")
        began = len(told.sent)
        told.more(100)
        stack.retrace("models", "roll-out", "--stop")
        ended = len(told.sent)
        told.more(35)
    with stack.client() as client:
        made = decisions(client, told.sent)
    versions = [each["policy_version"] for each in made]
    assert versions == sorted(versions)
    rolling = next(each["policy_version"] for each in made if each["model_id"] == name)
    for each in made:
        falls = in_roll_out(each["transaction_id"], taught["model_hash"], SHARE)
        expected = name if each["policy_version"] == rolling and falls else champion
        assert each["model_id"] == expected, each
    by_model = {each["model_id"]: each["thresholds"] for each in made}
    assert by_model[name] != by_model[champion]
    assert all(each["thresholds"] == by_model[each["model_id"]] for each in made)
    assert {each["path"] for each in made} == {"full"}
    # Within seconds, and without a restart, it began and ended everywhere.
    assert sum(each["policy_version"] == rolling for each in made) > 60
    assert made[began + 30]["policy_version"] == rolling
    assert made[ended + 30]["model_id"] == champion


def test_promotion_and_rollback_under_traffic_leave_no_decision_failed_or_mixed(
    stack: RunningStack, taught: dict[str, Any]
) -> None:
    name, champion = taught["model_id"], in_force(stack)
    with traffic(stack, "promoted") as told:
        stack.retrace("models", "promote", name)
        told.more(30)
        stack.retrace("models", "rollback")
        told.more(30)
    with stack.client() as client:
        made = decisions(client, told.sent)
    seen = list(dict.fromkeys((each["policy_version"], each["model_id"]) for each in made))
    assert [model for _, model in seen] == [champion, name, champion]
    judged = {(each["model_id"], json.dumps(each["thresholds"])) for each in made}
    assert len(judged) == 2
    # What is before the champion now is what was before it at first: a rollback does not swap.
    further = stack.retrace("models", "rollback", "--json", check=False)
    assert name not in further.stdout


def test_a_shadow_scores_history_and_live_traffic_once_each_as_it_would_have_decided(
    stack: RunningStack, taught: dict[str, Any], tmp_path: Path
) -> None:
    name, champion = taught["model_id"], in_force(stack)
    day = START + timedelta(days=10)
    imported = {f"taught-{n}" for n in range(10 * 72, TAUGHT)}
    url = stack.status()["database_url"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as pg:
        with traffic(stack, "shaded") as told:
            stack.retrace("models", "shadow", name, "--from", day.isoformat())
            stack.kill("worker-readmodels")
            stack.retrace("models", "roll-out", name, "--share", "30%")
            report_fraud(stack, told.sent[2:4])
            told.more(40)
            stack.retrace("models", "roll-out", "--stop")
            stack.kill("worker-readmodels")
            told.more(20)
            before = list(told.sent)
            stack.retrace("models", "shadow", name, "--stop")
            after = len(told.sent) + 1
            told.more(20)
            eventually(lambda: set(shadow_scores(pg)) >= imported | set(before), within=60)
            report = compared(stack, champion, name)
        scored = shadow_scores(pg)
        decided, by_champion = scores_of_decisions(pg, name), scores_of_decisions(pg, champion)
        # Whatever ended meanwhile: the same rows come again from the log alone.
        pg.execute("TRUNCATE shadow_scores")
        pg.execute("DELETE FROM projection_positions WHERE projection LIKE 'shadow.%'")
        stack.kill("worker-readmodels")
        again = backtested(stack, name, day, tmp_path / "scores.csv")
        eventually(lambda: shadow_scores(pg) == scored, within=60)
    assert not set(scored) & set(told.sent[after:])
    # What it said of history is what a backtest says; what it said live, what it decides.
    ideal = {key: score for key, (score, vector) in scored.items() if vector == "ideal"}
    assert set(ideal) >= imported
    assert ideal == {key: again[key] for key in ideal}
    served = {key: score for key, (score, vector) in scored.items() if vector == "served"}
    both = decided.keys() & served.keys()
    assert len(both) > 5
    assert {key: served[key] for key in both} == {key: decided[key] for key in both}
    assert report["by_maturity"]["as known"]["frauds"] == 2
    assert report["transactions"] == len(scored.keys() & by_champion.keys())
    switched = sum(sum(row.values()) for row in report["switches"].values())
    assert switched == report["transactions"] == report["decided_by_champion"]


def report_fraud(stack: RunningStack, ids: list[str]) -> None:
    with stack.client() as client:
        for name in ids:
            label = {"transaction_id": name, "kind": "fraud_report", "reference": "r"}
            assert client.post("/labels", json=label).status_code == 201


def scores_of_decisions(pg: psycopg.Connection[Any], model_id: str) -> dict[str, float]:
    asked = (
        "SELECT transaction_id, score FROM decisions"
        " WHERE model_id = %s AND timestamp >= %s AND timestamp < %s"
    )
    return {row[0]: row[1] for row in pg.execute(asked, [model_id, LIVE, LATER])}


def backtested(stack: RunningStack, name: str, begin: datetime, out: Path) -> dict[str, float]:
    asked = ["--from", begin.isoformat(), "--to", "2027-01-01T00:00:00Z", "--scores", str(out)]
    stack.retrace("backtest", "--model", name, *asked)
    with out.open() as file:
        return {row["TRANSACTION_ID"]: float(row["score"]) for row in csv.DictReader(file)}


def shadow_scores(pg: psycopg.Connection[Any]) -> dict[str, tuple[float, str]]:
    asked = "SELECT transaction_id, score, vector FROM shadow_scores"
    return {row[0]: (row[1], row[2]) for row in pg.execute(asked)}


def compared(stack: RunningStack, champion: str, name: str) -> dict[str, Any]:
    asked = ["models", "compare", champion, name, "--live", "--from", LIVE, "--to", LATER]
    report: dict[str, Any] = json.loads(stack.retrace(*asked, "--json").stdout)
    return report
