"""Settings: where each one comes from, and how a wrong one is refused."""

import os
from pathlib import Path

import pytest

from domain.errors import SettingsError
from host.processes import ProcessId
from host.state_folder import StateFolder, write_json
from inference.evaluation.costs import Costs
from inference.evaluation.measures import MeasureSettings
from inference.training.thresholds import Budget
from local.stack.services import without_own_urls
from runtime.settings import (
    CHECKOUT,
    SERVER_FIELDS,
    Settings,
    env_example,
    load_settings,
    settings_from_environment,
    variable_of,
)
from runtime.settings.urls import redis_connection

LOCAL = {
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "redis_url": "redis://127.0.0.1:2/0",
    "database_url": "postgresql+psycopg://retrace:pw@127.0.0.1:3/retrace",
    "mongodb_url": "mongodb://127.0.0.1:4/retrace",
    "api_port": 8123,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    monkeypatch.setenv("RETRACE_STATE_DIR", str(tmp_path))


def publish(folder: Path, supervisor: ProcessId | None) -> None:
    state = StateFolder(folder)
    state.create()
    identity = supervisor.to_json() if supervisor else None
    write_json(state.record, {"supervisor": identity, "published": LOCAL})


def test_urls_come_from_the_running_stack(tmp_path: Path) -> None:
    publish(tmp_path, ProcessId.of(os.getpid()))
    settings = load_settings()
    assert {name: getattr(settings, name) for name in LOCAL} == LOCAL
    assert settings.api_url == "http://127.0.0.1:8123"


def test_what_is_set_wins_over_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, ProcessId.of(os.getpid()))
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/1")
    monkeypatch.setenv("RETRACE_API_PORT", "9000")
    settings = load_settings()
    assert settings.redis_url == "redis://elsewhere:6379/1"
    assert settings.api_port == 9000
    assert settings.mongodb_url == LOCAL["mongodb_url"]


def test_a_dead_supervisor_publishes_nothing(tmp_path: Path) -> None:
    publish(tmp_path, ProcessId(os.getpid(), created=1.0))
    with pytest.raises(SettingsError, match=r"KAFKA_BOOTSTRAP_SERVERS .*`./retrace up`"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("REDIS_URL", "localhost:6379"),
        ("DATABASE_URL", "mysql://user@host/db"),
        ("MONGODB_URL", "http://host"),
        ("RETRACE_API_PORT", "70000"),
        ("RETRACE_TOKEN_KEY", "short"),
        ("RETRACE_LOG_LEVEL", "LOUD"),
        ("RETRACE_SCORER", "oracle"),
        ("RETRACE_MODELS_URL", "ftp://host/models"),
        ("MLFLOW_TRACKING_URI", "databricks"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        settings_from_environment()
    assert str(refused.value).startswith(f"{variable}: ")
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("scorer", "url"),
    [("tf-serving-grpc", ""), ("tf-serving-grpc", "http://h:1"), ("tf-serving-rest", "grpc://h:1")],
)
def test_a_model_server_needs_a_url_of_its_transport(scorer: str, url: str) -> None:
    with pytest.raises(SettingsError, match=f"TF_SERVING_URL: {scorer} needs a URL"):
        settings_from_environment(scorer=scorer, tf_serving_url=url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgresql_scheme_becomes_the_drivers(scheme: str) -> None:
    settings = settings_from_environment(database_url=f"{scheme}://me:p%40ss@db:6543/fraud")
    assert settings.database_url == "postgresql+psycopg://me:p%40ss@db:6543/fraud"
    assert settings.environment()["POSTGRES_PASSWORD"] == "p@ss"
    assert settings.environment()["POSTGRES_PORT"] == "6543"


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("redis://127.0.0.1:6380/0", "127.0.0.1:6380"),
        ("redis://:s%2Fcret@cache/2", "cache:6379,db=2,password=s/cret"),
        ("rediss://me:pw@cache:1", "cache:1,username=me,password=pw,ssl=true"),
        ("", ""),
    ],
)
def test_feast_is_given_its_own_spelling_of_the_redis_url(url: str, connection: str) -> None:
    assert redis_connection(url) == connection


def test_keys_are_made_once_and_kept_to_their_owner(tmp_path: Path) -> None:
    key = settings_from_environment().token_key
    assert settings_from_environment().token_key == key
    assert settings_from_environment().digest_key != key
    assert (tmp_path / "secrets" / "token.key").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (tmp_path / "secrets").iterdir() if "." in each.stem] == []


def test_a_given_key_is_used_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRACE_TOKEN_KEY", "sixteen characters")
    settings = settings_from_environment()
    assert settings.token_key == settings_from_environment().token_key
    assert len(settings.token_key) == 32
    assert not (tmp_path / "secrets").exists()
    assert "sixteen" not in repr(settings)


def test_the_example_names_every_setting() -> None:
    text = env_example()
    for name in (*Settings.model_fields, *SERVER_FIELDS):
        assert f"#{variable_of(name)}=" in text


def test_the_committed_example_is_the_generated_one() -> None:
    assert (CHECKOUT / "env.example").read_text() == env_example()


def test_what_a_shell_keeps_of_our_own_exports_does_not_count_as_set(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.create()
    write_json(state.ports, {"redis": 23456, "kafka": 23457})
    settings = settings_from_environment(
        redis_url="redis://127.0.0.1:23456/0", kafka_bootstrap_servers="127.0.0.1:9092"
    )
    found = without_own_urls(settings)
    assert found.redis_url == ""
    assert found.kafka_bootstrap_servers == "127.0.0.1:9092"


def test_costs_and_budgets_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "RETRACE_COST_REVIEW": "3.5",
        "RETRACE_COST_STEP_UP": "0.25",
        "RETRACE_COST_DECLINED_GENUINE": "0.1",
        "RETRACE_COST_MISSED_FRAUD": "1.2",
        "RETRACE_BUDGET_DECLINE": "0.01",
        "RETRACE_BUDGET_STEP_UP": "0.02",
        "RETRACE_BUDGET_REVIEW": "0.03",
    }
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    settings = settings_from_environment()
    assert settings.measures.costs == Costs(350, 25, 0.1, 1.2)
    assert settings.budget == Budget(0.01, 0.02, 0.03)
    monkeypatch.setenv("RETRACE_BUDGET_DECLINE", "0.99")
    with pytest.raises(SettingsError, match=r"RETRACE_BUDGET_.*more than all traffic"):
        settings_from_environment()


def test_costs_and_budgets_are_by_default_those_of_training() -> None:
    settings = settings_from_environment()
    assert (settings.measures, settings.budget) == (MeasureSettings(), Budget())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_protocol": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"kafka_protocol": "SASL_SSL"}, "needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ({"kafka_ca_file": "/no/such.pem"}, "KAFKA_SSL_CA_FILE: there is no file /no/such.pem"),
        ({"kafka_certificate_file": __file__}, "KAFKA_SSL_KEY_FILE are given together"),
    ],
)
def test_kafka_is_not_half_secured(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_from_environment(**given)


def test_other_processes_are_told_how_kafka_is_secured(monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings_from_environment(
        kafka_protocol="SASL_SSL",
        kafka_ca_file=__file__,
        kafka_username="retrace",
        kafka_password="of the tests",
    )
    assert "of the tests" not in repr(given.kafka())
    for name, value in given.environment().items():
        monkeypatch.setenv(name, value)
    assert settings_from_environment().kafka_security == given.kafka_security
