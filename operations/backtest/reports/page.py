"""Page of a report: one HTML file that needs nothing else and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from domain.events import BacktestCompleted
from domain.times import to_rfc3339
from operations.backtest.reports import consequences, reproduction, tables
from operations.backtest.reports.diagrams.charts import charts
from operations.backtest.reports.markup import Markup, joined, tag

Document = dict[str, Any]

_HERE = Path(__file__).parent


def page(found: Document, fact: BacktestCompleted) -> str:
    """Of what is in report.json, and of what is recorded of the run."""
    names = ", ".join(each["policy"] for each in found["candidates"])
    body = [
        tag("h1", f"Backtest of {names}"),
        tag("p", _lead(found), class_="lead"),
        tag("div", *charts(found), class_="charts"),
        _part("policies", "What each policy does", tables.summary(found)),
        *_optional("reproduction", "Does it decide as it did live?", reproduction.shown(found)),
        *_sweeps(found),
        *_optional("loops", "If decisions feed back", consequences.closed_loop(found)),
        *(part for number in range(len(found["compared"])) for part in _candidate(found, number)),
        _part("delivery", "How alerts would go out", *consequences.delivery(found)),
        _part("reasons", "Why", tables.reasons(found)),
        _part("origin", "How it was made", tables.declared(found), _origin(found, fact)),
    ]
    html = tag("html", _head(f"Backtest of {names}"), _body(body), lang="en")
    return f"<!DOCTYPE html>\n{html}\n"


def _head(title: str) -> Markup:
    # Whatever a name in a file says: no script but ours runs, and nothing is fetched.
    digest = base64.b64encode(hashlib.sha256(_read("page.js").encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
        f" script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", _read("page.css")),
    )


def _body(parts: list[Markup]) -> Markup:
    return tag("body", tag("main", *parts), tag("script", _read("page.js")))


@cache
def _read(name: str) -> Markup:
    """Ours, so that it is no text to escape."""
    return Markup((_HERE / name).read_text(encoding="utf-8"))


def _part(name: str, title: str, *inside: Markup | None) -> Markup:
    return tag("section", tag("h2", title, id=name), *inside, aria_labelledby=name)


def _lead(found: Document) -> str:
    return (
        f"{found['transactions']:,} transactions from {found['from']} to {found['to']}, of which"
        f" {found['labelled']:,} were labelled by {found['labels_known_at'][:19]}Z, compared with"
        f" {found['baseline']['policy']}. Money is in the base currency."
    )


def _optional(name: str, title: str, inside: list[Markup]) -> list[Markup]:
    return [_part(name, title, *inside)] if inside else []


def _candidate(found: Document, number: int) -> list[Markup]:
    made = found["compared"][number]
    moves = ", ".join(f"{count:,} {name}" for name, count in made["moves"].items())
    return [
        _part(
            f"changes-{number}",
            f"What {made['candidate']} changes",
            tag("p", f"Decisions: {moves or 'none changes'}."),
            tables.changes(made),
            tables.segments(made),
        ),
        _part(
            f"hidden-{number}",
            f"What declines hide of {made['candidate']}",
            *consequences.hidden_labels(found, number),
        ),
    ]


def _sweeps(found: Document) -> list[Markup]:
    if "sweep" not in found:
        return []
    swept = found["sweep"]
    made = [tables.sweep(swept["parameter"], *each) for each in swept["points"].items()]
    return [_part("sweep", f"Values of {swept['parameter']}", *made)]


def _origin(found: Document, fact: BacktestCompleted) -> Markup:
    policies = [*fact.candidates, *([fact.baseline] if fact.baseline else [])]
    told = {
        "id": f"{fact.backtest_id}; the same again: retrace backtest repeat {fact.backtest_id}",
        "labels known at": found["labels_known_at"],
        "log": f"{fact.topic}, up to {', '.join(map(str, fact.positions))} by partition",
        "policy version": str(fact.policy_version),
        **{f"policy {each.name}": each.content_hash for each in policies},
        "models": ", ".join(fact.models),
        "features": f"{fact.features}, of {fact.catalogue}",
        "code": fact.code,
        "scores by": fact.fingerprint,
        "seed of intervals": str(fact.seed),
        "sweep": fact.sweep or "none",
        "closed loop": fact.closed_loop or "none",
        "minutes of a case": f"{fact.case_minutes:g}",
        "tried by": fact.by,
        "period": f"{to_rfc3339(fact.begin)} to {to_rfc3339(fact.end)}",
        "SHA-256 of report.json": fact.report_hash,
    }
    pairs = [joined([tag("dt", name), tag("dd", value)]) for name, value in told.items()]
    return tag("dl", *pairs)
