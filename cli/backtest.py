"""`retrace backtest`: a model's scores of past transactions, and how good they are."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import parse_moment, print_table, progress_shown


def backtest(
    model: Annotated[str, typer.Option(help="Id of a model, or the beginning of its hash.")],
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="From this event time on, RFC 3339.")
    ],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Before this event time.")],
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV: TRANSACTION_ID,score.")
    ] = None,
    cards: Annotated[
        list[int] | None,
        typer.Option(min=1, help="The k of card precision@k. Repeatable.", show_default="100"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score past transactions with a frozen model, as if it had been in force then.

    Every transaction gets the features of its own moment, from a replay of the log. Nothing that
    runs is touched.
    """
    from domain.errors import InvalidInputError
    from inference.evaluation.card.text import measure_rows
    from operations.backtest.backtest import backtest as run
    from operations.backtest.backtest import write
    from runtime.composition.history import open_history
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if scores is not None and not scores.parent.is_dir():
        raise InvalidInputError("--scores", f"there is no folder {scores.parent}")
    first, last = parse_moment("--from", begin), parse_moment("--to", end)
    if first is None or last is None or first >= last:
        raise InvalidInputError("--from/--to", "the range is empty: --to is not after --from")
    started = time.monotonic()
    settings = load_settings()
    with (
        open_models(settings) as models,
        open_history(settings) as (_, history),
        progress_shown() as (say, count),
    ):
        made = run(models, history, model, first, last, say, count)
    if scores is not None:
        write(made, scores)
    chosen = settings.measures
    if cards:
        chosen = replace(chosen, cards=tuple(cards))
    measured = made.measures(chosen)
    summary = made.summary() | {
        "scores": str(scores) if scores else None,
        "seconds": round(time.monotonic() - started, 1),
    }
    if as_json:
        print(json.dumps(summary | {"by_maturity": measured}))
    else:
        print(_text(summary))
        print_table(measure_rows(measured, asdict(chosen)), ["", *measured])


def _text(run: dict[str, Any]) -> str:
    from inference.artefacts.manifest import NO_HISTORY

    lines = [
        f"{run['model_id']} scored {run['transactions']:,} transactions in {run['seconds']} s;"
        f" {run['labelled']:,} are labelled by now, {run['frauds']:,} of them fraud"
    ]
    if run["knows_no_history"]:
        lines.append(f"  Warning: {NO_HISTORY}")
    if run["auc"] is not None:
        lines.append(f"  AUC {run['auc']:.4f}, average precision {run['average_precision']:.4f}")
    if run["scores"]:
        lines.append(f"  scores: {run['scores']}")
    return "\n".join(lines)
