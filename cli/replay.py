"""`retrace replay`: past decisions, decided again from the log."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_table, progress_shown

if TYPE_CHECKING:
    from operations.replay.differences import Replayed
    from operations.replay.impact import Impact
    from operations.replay.planting import Planter

group = typer.Typer(help="Decide past transactions again from the log, and compare.")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="replay", no_args_is_help=True)


@group.command()
def verify(
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From this event time on, RFC 3339."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before this event time.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="About so many decisions, always the same ones."),
    ] = None,
    turn: Annotated[
        int | None,
        typer.Option(min=0, metavar="K", help="Of the newest day, and of the K-th in its turn."),
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant a difference of each cause in what is read.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that every recorded decision follows from the log, bit for bit.

    Each is decided again from its record: score, outcome, reasons and rules. Its features are
    computed from the log up to the versions that it recorded. Exits with 1 where anything differs.
    """
    from domain.errors import InvalidInputError
    from operations.replay.planting import Planter
    from operations.replay.scheduled.turns import verify_turn
    from operations.replay.verify import Period
    from operations.replay.verify import verify as run
    from runtime.composition.history import open_replay
    from runtime.settings import load_settings

    period = Period(parse_moment("--from", begin), parse_moment("--to", end), sample)
    if None not in (period.begin, period.end) and (period.begin or 0) >= (period.end or 0):
        raise InvalidInputError("--from/--to", "the range is empty: --to is not after --from")
    if turn is not None and (sample is None or begin or end):
        raise InvalidInputError("--turn", "needs --sample, and chooses the days itself")
    started = time.monotonic()
    planter = Planter() if self_test else None
    with open_replay(load_settings()) as ports, progress_shown() as (say, count):
        more = [planter] if planter else []
        if turn is not None:
            made = verify_turn(ports, turn, sample or 0, say, count, *more).made
        else:
            made = run(ports, period, say, count, *more)
    if planter is not None:
        raise typer.Exit(_self_test(planter, made, as_json))
    seconds = time.monotonic() - started
    if as_json:
        told: dict[str, Any] = {
            "compared": made.compared,
            "identical": made.identical,
            "different": made.different,
        }
        told |= {"causes": dict(made.causes), "paths": dict(made.paths)}
        told |= {"differences": [asdict(each) for each in made.shown]}
        print(json.dumps({**told, "seconds": round(seconds, 1)}))
    else:
        _print(made, seconds)
    raise typer.Exit(1 if made.different else 0)


def _print(made: Replayed, seconds: float) -> None:
    if made.shown:
        rows = [
            [
                each.cause,
                each.transaction_id,
                each.position,
                each.what,
                each.recorded,
                each.replayed,
            ]
            for each in made.shown
        ]
        print_table(rows, ["CAUSE", "TRANSACTION", "POSITION", "WHAT", "RECORDED", "REPLAYED"])
    for cause, number in sorted(made.causes.items()):
        print(f"{cause}: {number:,} differences")
    paths = ", ".join(f"{number:,} {path}" for path, number in sorted(made.paths.items()))
    print(f"decided again in {seconds:.0f} s; by path: {paths or 'none'}")
    print(f"compared {made.compared}, identical {made.identical}, different {made.different}")


def _self_test(planter: Planter, made: Replayed, as_json: bool) -> int:
    """0 where every difference was planted, found, and told under its cause."""
    states = planter.found(made)
    good = all(state == "found" for state in states.values())
    if as_json:
        print(json.dumps({"planted": planter.made, "states": states, "found": good}))
    else:
        for cause, state in states.items():
            where = f" in {planter.made[cause]}" if cause in planter.made else ""
            print(f"{cause}{where}: {state}")
        print("the proof can fail" if good else "the proof cannot be trusted")
    return 0 if good else 1


@group.command()
def impact(
    event: Annotated[str, typer.Option(metavar="ID", help="Id of a payment's or label's event.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell which decisions would have differed had a late event been known, and which alerts.

    A payment counts from its own time on, a label as if known with its payment. Nothing is changed.
    """
    from operations.replay.impact import impact as run
    from runtime.composition.history import open_replay
    from runtime.settings import load_settings

    with open_replay(load_settings()) as ports, progress_shown() as (say, count):
        made = run(ports, event, say, count)
    if as_json:
        print(json.dumps(asdict(made)))
        return
    rows = [
        [
            each.transaction_id,
            " to ".join(f"{score:.4f}" for score in each.scores),
            " to ".join(each.outcomes) if len(set(each.outcomes)) > 1 else each.outcomes[0],
            each.alert,
            ", ".join(f"{name} {_shown(a)} to {_shown(b)}" for name, (a, b) in list(
                each.features.items())[:3]),
        ]
        for each in made.affected
    ]  # fmt: skip
    if rows:
        print_table(rows, ["TRANSACTION", "SCORE", "OUTCOME", "ALERT", "FEATURES"])
    print(
        f"of {made.looked_at:,} decisions about the same entities {len(made.affected):,} would have"
        f" differed; alerts to reopen: {_alerts(made, 'reopen')},"
        f" to raise: {_alerts(made, 'raise')}"
    )
    if made.other_features:
        print(f"{made.other_features:,} were made with features or a model that are not known here")


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _alerts(made: Impact, kind: str) -> int:
    return sum(each.alert == kind for each in made.affected)
