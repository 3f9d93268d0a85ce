"""Composition of the delivery of alerts."""

import logging
from collections.abc import Callable

import httpx

from commands.agents.alert_delivery import Delivery
from commands.alerts.routing import own_route
from commands.alerts.sending import SECONDS, Sender
from domain.policy.snapshot import PolicySnapshot
from host.clock import now_us
from runtime.settings import Settings
from runtime.settings.secrets import OWN_SECRET, alert_secrets


def alert_delivery(settings: Settings, policy: Callable[[], PolicySnapshot]) -> Delivery:
    """By the routes of the policy, and to RETRACE_WEBHOOK_URL where it is set."""
    # It logs each URL, and those of Slack and Teams are secrets.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    secrets = alert_secrets()
    sender = Sender(httpx.AsyncClient(timeout=SECONDS), secrets, now_us)
    named = OWN_SECRET if OWN_SECRET in secrets else ""
    own = [own_route(settings.webhook_url, named)] if settings.webhook_url else []
    return Delivery(sender, policy, own)
