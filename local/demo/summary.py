"""Summary of a demo: one JSON object, or a table and what to try next."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demo.live.figures import Figures, caught, percentile, stepped_up
from local.demo.live.reconciliation import Reconciliation
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a demo. `live_seconds` is how long traffic was sent."""

    figures: Figures
    reconciliation: Reconciliation
    history_transactions: int
    live_seconds: float
    total_seconds: float


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Milliseconds, recall and precision are null where there was nothing to measure."""
    figures, found_ids = outcome.figures, outcome.reconciliation
    found, by_score = caught(figures), caught(figures, by_score=True)
    fraud, genuine = stepped_up(figures)
    return {
        "decisions": len(figures.decisions),
        "alerts": figures.alerts,
        "p50_ms": _rounded(percentile(figures.latencies, 0.50)),
        "p99_ms": _rounded(percentile(figures.latencies, 0.99)),
        "freshness_p50_ms": _rounded(percentile(figures.freshness, 0.50)),
        "freshness_p99_ms": _rounded(percentile(figures.freshness, 0.99)),
        "lost": len(found_ids.lost),
        "doubled": len(found_ids.doubled),
        "lost_ids": list(found_ids.lost[:10]),
        "doubled_ids": list(found_ids.doubled[:10]),
        "unprojected": len(found_ids.unprojected),
        "recall": _rounded(found.recall),
        "precision": _rounded(found.precision),
        "recall_by_score": _rounded(by_score.recall),
        "precision_by_score": _rounded(by_score.precision),
        "stepped_up_frauds": fraud,
        "stepped_up_genuine": genuine,
        "frauds": found.caught + found.missed,
        "caught": found.caught,
        "missed": found.missed,
        "false_alarms": found.false_alarms,
        "outcomes": dict(Counter(each.outcome for each in figures.decisions.values())),
        "sent": len(figures.sent),
        "http": len(figures.answers),
        "kafka": len(figures.acked),
        "labels": figures.labels,
        "errors": dict(figures.errors),
        "rate": _rounded(len(figures.sent) / max(outcome.live_seconds, 1e-9)),
        "history_transactions": outcome.history_transactions,
        "model_id": _model(figures),
        "seconds": _rounded(outcome.live_seconds),
        "total_seconds": _rounded(outcome.total_seconds),
    }


def print_summary(console: Console, outcome: Outcome, settings: Settings) -> None:
    found = to_json(outcome)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in _lines(found).items():
        table.add_row(name, text)
    console.print()
    console.print(table)
    console.print()
    for title, lines in (("Try next", _next(outcome, settings)), ("Look at", _places(settings))):
        console.print(title, style="bold")
        for line in lines:
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print("The stack stays up until `./retrace down`.", highlight=False)


def _lines(found: dict[str, Any]) -> dict[str, str]:
    reconciliation = (
        "no acknowledged transaction lost, none decided twice"
        if not found["lost"] and not found["doubled"]
        else f"{found['lost']} LOST {found['lost_ids']}, {found['doubled']} DECIDED TWICE "
        f"{found['doubled_ids']}"
    )
    return {
        "history": f"{found['history_transactions']:,} transactions; model {found['model_id']}",
        "live": f"{found['decisions']:,} decisions in {found['seconds']:.0f} s, "
        f"{found['http']:,} by HTTP and {found['kafka']:,} by Kafka",
        "reconciled": reconciliation,
        "latency": f"p50 {_ms(found['p50_ms'])}, p99 {_ms(found['p99_ms'])}",
        "freshness": f"p50 {_ms(found['freshness_p50_ms'])}, p99 {_ms(found['freshness_p99_ms'])}",
        "fraud": f"{found['caught']} of {found['frauds']} caught ({_percent(found['recall'])}), "
        f"{found['false_alarms']} false alarms (precision {_percent(found['precision'])})",
        "by the score alone": f"recall {_percent(found['recall_by_score'])}, "
        f"precision {_percent(found['precision_by_score'])}; stepped up "
        f"{found['stepped_up_frauds']} frauds and {found['stepped_up_genuine']} others",
        "alerts": f"{found['alerts']:,}",
    }


def _next(outcome: Outcome, settings: Settings) -> list[str]:
    decided = list(outcome.figures.decisions)
    shown = decided[-1] if decided else "12345"
    return [
        "./retrace alerts",
        "./retrace events tail -f",
        f"curl {settings.api_url}/decisions/{shown}",
    ]


def _places(settings: Settings) -> list[str]:
    return [
        f"{settings.api_url}/docs  the API, with examples to send",
        f"{settings.api_url}/decisions/stream  decisions as they are made",
        'psql "${DATABASE_URL/+psycopg/}"  after eval "$(./retrace env)"; see docs/sql.md',
    ]


def _model(figures: Figures) -> str | None:
    used = Counter(each.model_id for each in figures.decisions.values())
    return used.most_common(1)[0][0] if used else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.0%}"
