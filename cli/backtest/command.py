"""`retrace backtest`: a model, or whole policies, on past transactions, and how good they are."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.backtest import runs
from cli.backtest.options import Options, Outputs
from cli.output import parse_moment, print_table, progress_shown

_group = typer.Typer()


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="backtest")
    runs.register(_group)


@_group.callback(invoke_without_command=True)
def backtest(
    context: typer.Context,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From this event time on, RFC 3339."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before this event time.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Id of a model, or the beginning of its hash.")
    ] = None,
    policies: Annotated[
        list[Path] | None,
        typer.Option("--policy", metavar="FOLDER", help="Try this policy. Repeatable."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Compare with it.", show_default="the live policy"),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar="NAME=FIRST:LAST:STEP", help="Try a range, as review_threshold."),
    ] = None,
    changed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV of decisions that change.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a page with plots, JSON and Parquet."),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record/--no-record", help="Keep a record, to repeat it from.")
    ] = True,
    anew: Annotated[
        bool, typer.Option("--anew", help="Continue no run that was interrupted.")
    ] = False,
    minutes: Annotated[
        float, typer.Option("--case-minutes", min=0.1, help="An analyst spends on a case.")
    ] = 5.0,
    closed: Annotated[
        bool, typer.Option("--closed-loop", help="Let each policy's decisions feed back.")
    ] = False,
    block: Annotated[
        str | None,
        typer.Option(
            metavar="card|payer|none", help="Whom known fraud stops.", show_default="card"
        ),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV: TRANSACTION_ID,score.")
    ] = None,
    cards: Annotated[
        list[int] | None,
        typer.Option(min=1, help="The k of card precision@k. Repeatable.", show_default="100"),
    ] = None,
    features: Annotated[
        str,
        typer.Option(metavar="ideal|served", help="Of what was decided live, those it was served."),
    ] = "ideal",
    engine: Annotated[
        str, typer.Option(metavar="local|dask", help="What lays down features.")
    ] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try a model, or whole policies, on past transactions, as if they had been in force then.

    Every transaction gets the features of its own moment, from a replay of the log, or with
    --features served those that its live decision was served. Nothing that runs is touched. With
    --policy, rules, lists, thresholds and model decide, and are compared with the live policy or
    another folder. A run that was interrupted within a day continues from its columns, as of its
    moment, when it is asked for again.
    """
    from domain.errors import InvalidInputError

    if context.invoked_subcommand is not None:
        return
    for name, given in (("--from", begin), ("--to", end)):
        if given is None:
            raise typer.BadParameter("is missing", param_hint=f"'{name}'")
    first, last = parse_moment("--from", begin), parse_moment("--to", end)
    if first is None or last is None or first >= last:
        raise InvalidInputError("--from/--to", "the range is empty: --to is not after --from")
    if features not in ("ideal", "served"):
        raise InvalidInputError("--features", f"{features!r} is neither ideal nor served")
    served = features == "served"
    if policies:
        from cli.backtest.policies import try_policies

        if scores is not None or cards:
            raise InvalidInputError("--policy", "--scores and --cards are of --model alone")
        loop = (block or "card") if closed or block else None
        asked = Options(first, last, model, policies, baseline, sweep, minutes, loop, served)
        outputs = Outputs(changed, report, as_json, record, anew, engine)
        try_policies(asked, outputs)
        return
    others = baseline or sweep or changed or report or anew or closed or block
    if model is None or others or served or engine != "local":
        raise InvalidInputError("--model", "name a model, or policies with --policy")
    _try_model(model, first, last, scores, cards, as_json)


def _try_model(
    model: str, first: int, last: int, scores: Path | None, cards: list[int] | None, as_json: bool
) -> None:
    from domain.errors import InvalidInputError
    from inference.evaluation.card.text import measure_rows
    from operations.backtest.backtest import backtest as run
    from operations.backtest.backtest import write
    from runtime.composition.history import open_history
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if scores is not None and not scores.parent.is_dir():
        raise InvalidInputError("--scores", f"there is no folder {scores.parent}")
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
