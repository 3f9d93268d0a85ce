"""`retrace models health` reports what drifted, what is unknown, and why."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.models.health import notes
from domain.errors import SettingsError, UnavailableError
from domain.times import DAY
from inference.monitoring.calibration import Week
from inference.monitoring.catches import LivePayments
from inference.monitoring.report import ModelHealth
from inference.proportions import Proportion
from operations.monitoring import health as monitoring
from operations.monitoring.report import facts_of
from runtime.settings import settings_from_environment
from tests.builders.artefacts import LIMITS, NOW, measured


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the command with a given measurement."""
    servers = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "MONGODB_URL": "mongodb://127.0.0.1:1/none",
        "RETRACE_STATE_DIR": str(tmp_path),
    }
    for name, value in servers.items():
        monkeypatch.setenv(name, value)

    def invoke(found: ModelHealth | Exception, *options: str) -> Any:
        def answer(*_: object) -> ModelHealth:
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(monitoring, "health_of", answer)
        return CliRunner().invoke(app, ["models", "health", *options])

    return invoke


def test_a_healthy_model_ends_with_0_and_a_drifted_one_with_1(run: Any) -> None:
    assert run(measured(0)).exit_code == 0
    drifted = run(measured(3))
    assert drifted.exit_code == 1
    assert "1 of 1 drift" in drifted.stdout


def test_json_holds_every_figure(run: Any) -> None:
    weeks = [Week(0, 900, 20.0, 5, 1, {7: 30, 30: 50, 60: 50, 90: 50})]
    facts = json.loads(run(measured(3, weeks=weeks), "--json").stdout)
    assert facts["levels"]["features"] == facts["level"] == "alert"
    assert facts["features"][0]["psi"] > 0.25
    assert facts["weeks"][0]["observed"] == {"7": 30, "30": 50, "60": 50, "90": 50}
    judged = next(each for each in facts["calibration"] if each["days"] == 30)
    assert (judged["ratio"], judged["declined_censored"]) == (2.5, 5)


def test_recall_is_shown_beside_what_was_expected(run: Any) -> None:
    payments = LivePayments(
        np.zeros(40, np.int64), np.arange(40), np.arange(40) < 4, np.ones(40)
    )  # fmt: skip
    found = measured(0, payments=payments, expected=Proportion(0.7, 0.6, 0.8, 80.0))
    said = run(found)
    assert said.exit_code == 1
    assert "10.0% of 40, 60.0% to 80.0% expected" in said.stdout
    assert "recall cannot be judged" not in said.stderr
    assert "precision cannot be judged" in said.stderr
    facts = json.loads(run(found, "--json").stdout)
    assert (facts["recall"]["live"]["share"], facts["recall"]["payments"]) == (0.1, 40)
    assert facts["precision"] is None


def test_a_failed_measurement_ends_with_2_and_gives_the_reason(run: Any) -> None:
    failed = run(UnavailableError("postgresql", "connection refused"))
    assert failed.exit_code == 2
    assert "postgresql" in failed.stderr
    assert run(measured(0), "--window", "soon").exit_code == 2


def test_too_little_data_is_reported(run: Any) -> None:
    few = measured(3, rows=100)
    said = run(few)
    assert said.exit_code == 0
    assert "needs 500 decisions" in said.stderr
    told = notes(facts_of(few, LIMITS))
    assert any("too few frauds" in note for note in told)
    assert any("7 decisions by fallback" in note for note in told)


def test_traffic_of_a_day_is_too_early_to_judge(run: Any) -> None:
    early = measured(3, span=DAY)
    said = run(early)
    assert said.exit_code == 0
    assert "reach over 14% of the window" in said.stderr


def test_immature_weeks_have_no_number() -> None:
    weeks = [Week(NOW - 40 * DAY, 900, 20.0, 0, 0, {7: 1, 30: 2, 60: 3, 90: 3})]
    [told] = facts_of(measured(0, weeks=weeks), LIMITS)["weeks"]
    assert told["observed"] == {"7": 1, "30": 2, "60": None, "90": None}


def test_limits_in_the_wrong_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRACE_PSI_WARN", "0.5")
    with pytest.raises(SettingsError, match="warn <= alert"):
        settings_from_environment()
