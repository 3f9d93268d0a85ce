"""Secrets of alert routes: named settings alone, and never in the log of a process."""

import logging

import pytest

from commands.alerts.message import of_trial
from domain.policy.snapshot import NO_POLICY
from runtime.composition.alerts.delivery import alert_delivery
from runtime.settings import settings_from_environment
from runtime.settings.secrets import alert_secrets
from tests.builders.alerts.receivers import receiving


def test_only_what_is_set_as_a_secret_of_a_route_can_be_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETRACE_SECRET_PAGER", "abc")
    monkeypatch.setenv("RETRACE_SECRET_EMPTY", "")
    monkeypatch.setenv("RETRACE_TOKEN_KEY", "0123456789abcdef")
    found = alert_secrets()
    assert found["PAGER"] == "abc"
    assert "EMPTY" not in found
    assert "0123456789abcdef" not in found.values()


def test_the_webhook_is_signed_where_its_secret_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from_environment(webhook_url="http://h/")
    monkeypatch.delenv("RETRACE_SECRET_WEBHOOK", raising=False)
    assert [each.secret for each in alert_delivery(settings, lambda: NO_POLICY).own] == [""]
    monkeypatch.setenv("RETRACE_SECRET_WEBHOOK", "whsec_c2VjcmV0")
    (own,) = alert_delivery(settings, lambda: NO_POLICY).own
    assert (own.secret, own.at_most) == ("WEBHOOK", 0)
    assert alert_delivery(settings_from_environment(webhook_url=""), lambda: NO_POLICY).own == []


async def test_a_url_that_is_a_secret_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving("slack") as receiver:
        monkeypatch.setenv("RETRACE_SECRET_IT", receiver.url)
        delivery = alert_delivery(settings_from_environment(), lambda: NO_POLICY)
        with caplog.at_level(logging.INFO):
            answer = await delivery.sender.send(receiver.route(), of_trial("r", 0))
    assert answer.taken
    assert "services" not in caplog.text
