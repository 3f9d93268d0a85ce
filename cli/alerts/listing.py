"""The newest alerts about transactions and models, from the read models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.output import print_table

if TYPE_CHECKING:
    from projections.readmodels.queries.results import StoredAlert, StoredModelAlert


def show_alerts(limit: int, state: str | None, as_json: bool) -> None:
    """First about transactions, then about models. Raises InvalidInputError for the state."""
    from domain.errors import InvalidInputError
    from projections.readmodels.queries.results import AlertFilter
    from runtime.composition.read_models import open_read_models
    from runtime.settings import load_settings

    if state not in (None, "raised", "delivered", "suppressed"):
        raise InvalidInputError("--state", "must be raised, delivered or suppressed")
    with open_read_models(load_settings()) as read_models:
        found = read_models.alerts_for(AlertFilter(state=state), limit).items
        models = read_models.model_alerts(state, limit)
    if as_json:
        facts = {
            "alerts": [_row(a) for a in found],
            "model_alerts": [_model_row(a) for a in models],
        }
        print(json.dumps(facts))
        return
    _show(found)
    if models:
        print()
        _show_models(models)


def _row(alert: StoredAlert) -> dict[str, object]:
    from domain.money import shown_amount
    from domain.times import to_rfc3339
    from domain.wording import sentences

    return {
        "alert_id": alert.alert_id,
        "transaction_id": alert.transaction_id,
        "raised_at": to_rfc3339(alert.raised_time),
        "state": alert.state,
        "suppressed_by": alert.suppressed_by,
        "outcome": alert.outcome,
        "score": alert.score,
        **shown_amount(alert.amount, alert.currency),
        "currency": alert.currency,
        "reasons": alert.reasons,
        "why": list(sentences(alert.reasons, alert.rule_words).values()),
        "customer_id": alert.customer_id,
        "merchant_id": alert.merchant_id,
    }


def _show(found: list[StoredAlert]) -> None:
    from rich.console import Console
    from rich.table import Table

    from domain.money import to_major
    from domain.times import to_datetime
    from domain.wording import sentences

    if not found:
        print("No alerts.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("raised (UTC)", "outcome", "score", "amount", "transaction", "why"):
        table.add_column(
            name,
            justify="right" if name in ("score", "amount") else "left",
            no_wrap=name != "why",
            overflow="ellipsis",
        )
    for alert in found:
        colour = "red" if alert.outcome == "decline" else "yellow"
        table.add_row(
            to_datetime(alert.raised_time).strftime("%m-%d %H:%M:%S"),
            f"[{colour}]{alert.outcome}[/]",
            f"{alert.score:.3f}",
            f"{to_major(alert.amount, alert.currency)} {alert.currency}",
            alert.transaction_id,
            "\n".join([*sentences(alert.reasons, alert.rule_words).values(), *_silence(alert)]),
        )
    Console().print(table)


def _silence(alert: StoredAlert) -> list[str]:
    return [f"Suppressed by {alert.suppressed_by}."] if alert.suppressed_by else []


def _model_row(alert: StoredModelAlert) -> dict[str, object]:
    from domain.times import to_rfc3339

    return {
        "alert_id": alert.alert_id,
        "model_id": alert.model_id,
        "raised_at": to_rfc3339(alert.raised_time),
        "state": alert.state,
        "measure": alert.measure,
        "value": alert.value,
        "limit": alert.threshold,
        "summary": alert.summary,
        "features": alert.features,
        "since": to_rfc3339(alert.since),
        "until": to_rfc3339(alert.until),
    }


def _show_models(found: list[StoredModelAlert]) -> None:
    from domain.times import to_datetime

    rows = [
        [
            to_datetime(alert.raised_time).strftime("%m-%d %H:%M:%S"),
            alert.model_id,
            alert.measure,
            f"{alert.value:.3f} over {alert.threshold:g}",
            alert.summary,
        ]
        for alert in found
    ]
    print_table(rows, ["raised (UTC)", "model", "measure", "value", "why"])
