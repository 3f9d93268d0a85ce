"""Models from a file of transactions to scores: training, backtest, promotion, rollback, health."""

import csv
import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.e2e.stack import RunningStack, body, eventually, score
from tests.fakes.payments import START, TAUGHT

LIVE = "2026-03-01T10:{:02}:{:02}Z"
ODD = 200


@pytest.fixture
def model(taught: dict[str, Any]) -> str:
    return str(taught["model_id"])


def test_odd_traffic_shows_in_metrics_and_raises_a_model_alert(stack: RunningStack) -> None:
    with stack.client() as client:
        for n in range(ODD):
            at = f"2026-04-01T03:{n // 60:02}:{n % 60:02}Z"
            odd = body(f"odd-{n}", amount=50_000 + n, timestamp=at, customer_id=f"odd-{n}")
            assert score(client, odd).status_code == 200

        def alerting() -> list[str]:
            lines = client.get("/metrics").text.splitlines()
            return [x for x in lines if x.startswith("retrace_model_health{") and x[-3:] == "3.0"]

        eventually(alerting, 60)
        assert "retrace_model_psi{" in client.get("/metrics").text

    def delivered() -> list[str]:
        told = json.loads(stack.retrace("alerts", "--json").stdout)["model_alerts"]
        return [each["measure"] for each in told if each["state"] == "delivered"]

    assert "features" in eventually(delivered)
    posted = [a for a in stack.alerts if a["type"] == "fraud.model-alert.raised.v1"]
    # One per model, measure and day, however often it is measured.
    keys = [each["alert_id"] for each in posted]
    assert len(keys) == len(set(keys)) > 0

    measured = stack.retrace("models", "health", "--json", check=False)
    facts = json.loads(measured.stdout)
    assert (measured.returncode, facts["levels"]["features"]) == (1, "alert")
    looked = stack.retrace("models", "watch", "--once", "--every", "0", "--rest", "52w", "--json")
    check = json.loads(looked.stdout)
    assert (check["level"], check["reason"], check["trained"]) == ("alert", None, None)
    assert "drift of" in check["note"]


def test_a_model_is_taught_by_what_was_known_at_its_moment(taught: dict[str, Any]) -> None:
    assert taught["transactions"] >= TAUGHT
    # The labels of the last week were not known yet.
    assert taught["frauds"] < TAUGHT // 20


def read(path: Path) -> dict[str, float]:
    with path.open() as file:
        lines = csv.DictReader(file)
        assert lines.fieldnames == ["TRANSACTION_ID", "score"]
        return {line["TRANSACTION_ID"]: float(line["score"]) for line in lines}


def test_a_backtest_scores_every_transaction_of_its_range_alone(
    stack: RunningStack, model: str, tmp_path: Path
) -> None:
    day = START + timedelta(days=30)
    asked = ["--from", day.isoformat(), "--to", (day + timedelta(days=1)).isoformat()]
    out = tmp_path / "scores.csv"
    stack.retrace("backtest", "--model", model, *asked, "--scores", str(out))
    first = 30 * 72
    assert set(read(out)) == {f"taught-{n}" for n in range(first, first + 72)}
    unknown = stack.retrace("backtest", "--model", "no-such", *asked, check=False)
    assert unknown.returncode == 1
    assert "no-such" in unknown.stderr


def test_a_promoted_model_scores_live_as_in_a_backtest_and_rolls_back_with_nothing_lost(
    stack: RunningStack, model: str, tmp_path: Path
) -> None:
    stop, answers, failed = Event(), dict[str, str](), list[str]()

    def traffic() -> None:
        with stack.client() as client:
            n = 0
            while not stop.is_set():
                at = LIVE.format(n // 60 % 60, n % 60)
                sent = body(f"live-{n}", timestamp=at, customer_id=f"taught-customer-{n % 40}",
                            merchant_id=f"taught-shop-{n % 17}", amount=10 + n % 997)  # fmt: skip
                answer = score(client, sent)
                if answer.status_code != 200:
                    failed.append(answer.text)
                answers[f"live-{n}"] = str(answer.json().get("transaction_id"))
                n += 1

    sender = Thread(target=traffic)
    sender.start()
    try:
        eventually(lambda: len(answers) > 20)
        stack.retrace("models", "promote", model)
        before = len(answers)
        eventually(lambda: len(answers) > before + 60)
        back = json.loads(stack.retrace("models", "rollback", "--json").stdout)["model_id"]
        before = len(answers)
        eventually(lambda: len(answers) > before + 20)
    finally:
        stop.set()
        sender.join(60)
    assert failed == []
    with stack.client() as client:
        decided = {name: client.get(f"/decisions/{name}").json() for name in answers}
    # A busy machine may be late for some, which then no model decides.
    used = [each["model_id"] for each in decided.values() if each["path"] != "deadline"]
    # One change there and one back: no decision was made by something in between.
    changes = [a for a, b in pairwise(used) if a != b]
    assert (changes, used[-1]) == ([back, model], back)

    out = tmp_path / "scores.csv"
    asked = ["--from", "2026-03-01T10:00:00Z", "--to", "2026-03-01T11:00:00Z"]
    stack.retrace("backtest", "--model", model, *asked, "--scores", str(out))
    again = read(out)
    mine = [name for name in answers if decided[name]["model_id"] == model]
    assert len(mine) > 30
    assert {n: again[n] for n in mine} == {n: decided[n]["score"] for n in mine}
    told = json.loads(stack.retrace("replay", "verify", *asked, "--json").stdout)
    assert told["differences"] == []
    assert told["identical"] == told["compared"] >= len(answers)
    # The engine of backtests plays both changes, and what was decided late, as they were.
    (tmp_path / "policy.yaml").write_text("rules: []\nlists: []\n")
    asked += ["--policy", str(tmp_path), "--features", "served", "--no-record", "--json"]
    played = json.loads(stack.retrace("backtest", *asked).stdout)["reproduction"]
    assert (played["causes"], played["differences"]) == ({}, [])
    assert played["reproduced"] == played["decisions"] == told["compared"]


def test_a_trained_model_has_a_card_of_what_was_read(stack: RunningStack, model: str) -> None:
    card = json.loads(stack.retrace("models", "card", model, "--json").stdout)
    # Every payment and every label but those of the last week, which was not known yet.
    assert sum(card["data"]["positions"]) >= 2 * TAUGHT
    assert card["data"]["topic"] == "retrace.transactions.g1"
    assert card["metrics"]["7 days"]["card_precision"]["100"] > 0
    folder = Path(card["folder"])
    assert {path.suffix for path in folder.iterdir()} == {".json", ".md", ".png"}
    text = stack.retrace("models", "card", model).stdout
    assert text == (folder / "card.md").read_text()


def test_a_backtest_is_measured_at_every_maturity(stack: RunningStack, model: str) -> None:
    day = START + timedelta(days=30)
    asked = ["--from", day.isoformat(), "--to", (day + timedelta(days=10)).isoformat()]
    done = stack.retrace("backtest", "--model", model, *asked, "--cards", "3", "--json")
    told = json.loads(done.stdout)["by_maturity"]
    assert list(told) == ["as known", "7 days", "30 days", "60 days", "90 days"]
    # Labels came after seven days, and all of it is long ago.
    assert told["90 days"] == told["7 days"] == told["as known"]
    assert told["7 days"]["payments"] == 720
    assert 0 < told["7 days"]["card_precision"]["3"] <= 1
    assert told["7 days"]["money"]["saved_share"] > 0.5


def test_a_backtest_of_a_policy_is_reported_and_repeated_to_the_byte(
    stack: RunningStack, model: str, tmp_path: Path
) -> None:
    folder, out, again = (tmp_path / name for name in ("calmer", "out", "again"))
    folder.mkdir()
    (folder / "policy.yaml").write_text(
        "rules:\n  - {name: busy, code: busy, words: busy, when: card_count_1d >= 2.0,"
        " action: review, severity: low, owner: me}\nlists: []\n"
    )
    day = START + timedelta(days=30)
    asked = ["--from", day.isoformat(), "--to", (day + timedelta(days=10)).isoformat()]
    asked += ["--policy", str(folder), "--model", model, "--report", str(out)]
    told = json.loads(stack.retrace("backtest", *asked, "--json").stdout)
    report = (out / "report.json").read_bytes()
    assert json.loads(report)["candidates"][0] == told["candidates"][0]
    assert told["transactions"] == 720
    # More came since.
    with stack.client() as client:
        sent = body("later-1", timestamp=f"{day:%Y-%m-%d}T12:00:00Z", amount=10)
        assert score(client, sent).status_code == 200
    done = stack.retrace("backtest", "repeat", told["backtest"][:10], "--report", str(again))
    assert done.stdout == f"{told['backtest']}, 720 transactions: identical\n"
    assert (again / "report.json").read_bytes() == report
    assert (again / "report.html").read_bytes() == (out / "report.html").read_bytes()


def test_a_model_unknown_to_the_log_is_registered_from_its_folder(stack: RunningStack) -> None:
    """The default model was put in force without a fact of its training."""
    listed = json.loads(stack.retrace("models", "list", "--json").stdout)
    (default,) = [each for each in listed if each["transactions"] is None]
    for _ in range(2):
        stack.retrace("models", "register", default["model_hash"][:12])
    again = json.loads(stack.retrace("models", "list", "--json").stdout)
    (same,) = [each for each in again if each["model_hash"] == default["model_hash"]]
    assert same["transactions"] > 0
    assert same["state"] == default["state"]
    assert len(again) == len(listed)
    unknown = stack.retrace("models", "register", "no-such", check=False)
    assert unknown.returncode == 1
    assert "no-such" in unknown.stderr


def test_models_are_listed_and_retired_ones_not_promoted(stack: RunningStack, model: str) -> None:
    listed = json.loads(stack.retrace("models", "list", "--json").stdout)
    states = {each["model_id"]: each["state"] for each in listed}
    assert list(states.values()).count("in force") == 1
    assert states[model] == "stored"
    assert "metrics" in json.loads(stack.retrace("models", "show", model, "--json").stdout)["facts"]
    stack.retrace("models", "retire", model, "--reason", "a test ends")
    refused = stack.retrace("models", "promote", model, check=False)
    assert refused.returncode == 1
    assert "was retired: a test ends" in refused.stderr
