"""Commands of `retrace features` on generations of the online states."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_result, print_table, progress_shown

if TYPE_CHECKING:
    from operations.features.rebuild import Rebuilder

group = typer.Typer(help="Features: prove, export and rebuild them from the log.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@group.command()
def rebuild(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the log.")
    ] = "rebuilt from the log",
    swap: Annotated[
        bool, typer.Option("--swap/--no-swap", help="Make it live once it is verified.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Build the online state of the declared features beside the live one, verify it, swap it in.

    This is how a feature that was added to the catalogue reaches a running system. Live writes and
    decisions go on meanwhile; the generation before is kept for `rollback`.
    """
    from domain.features import CATALOGUE

    started = time.monotonic()
    with _rebuilder() as builder:
        built = builder.build(CATALOGUE, reason)
        if swap:
            builder.activate(built.generation, reason)
    made = built.generation
    state = "live" if swap else "beside the live one"
    print_result(
        {
            "generation": made.number,
            "feature_set": made.hash,
            "features": len(CATALOGUE),
            "states": built.states,
            "compared": built.compared,
            "different": 0,
            "live": swap,
            "seconds": round(time.monotonic() - started, 1),
        },
        f"generation {made.number} is {state}: {built.states:,} states of {len(CATALOGUE)} features"
        f" ({made.hash}), {built.compared:,} values verified",
        as_json,
    )


@group.command()
def materialize(
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIME", help="What was known then, RFC 3339.")
    ],
    as_json: AsJson = False,
) -> None:
    """Build a generation of the states as known at a moment, to be read beside the live one.

    A Feast client reads it with `generation: N` under online_store in its feature_store.yaml.
    """
    from domain.features import CATALOGUE

    known = parse_moment("--as-of", as_of)
    assert known is not None
    with _rebuilder() as builder:
        built = builder.freeze(CATALOGUE, known)
    made = built.generation
    print_result(
        {"generation": made.number, "feature_set": made.hash, "states": built.states},
        f"generation {made.number}: {built.states:,} states as known at {as_of}",
        as_json,
    )


@group.command("materialize-incremental")
def materialize_incremental(
    generation: Annotated[
        int | None,
        typer.Option("--generation", min=1, help="Which; the newest below the live one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a generation that is not live from where it stands to the end of the log."""
    with _rebuilder() as builder:
        kept = builder.before(generation)
        taken = builder.follow(kept)
    print_result(
        {"generation": kept.number, "records": taken},
        f"generation {kept.number} is at the end of the log, {taken:,} records later",
        as_json,
    )


@group.command()
def rollback(
    generation: Annotated[
        int | None,
        typer.Option("--generation", min=1, help="To which; the newest below the live one."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the log.")
    ] = "rolled back",
    as_json: AsJson = False,
) -> None:
    """Go back to a generation that was kept: it is brought to the log's end, then made live."""
    with _rebuilder() as builder:
        kept = builder.before(generation)
        taken = builder.follow(kept)
        builder.activate(kept, reason)
    print_result(
        {"generation": kept.number, "feature_set": kept.hash, "records": taken, "live": True},
        f"generation {kept.number} is live again ({kept.hash}), {taken:,} records later",
        as_json,
    )


@group.command()
def generations(
    drop: Annotated[
        int | None, typer.Option("--drop", min=1, help="Remove this one for good.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove even the one that `rollback` would go back to.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the generations of the online state, or remove one that is not live."""
    from runtime.composition.features import generations_of
    from runtime.settings import load_settings

    kept = generations_of(load_settings())
    if drop is not None:
        removed = kept.drop(drop, force=force)
        print_result({"generation": drop, "keys": removed}, f"{removed:,} keys removed", as_json)
        return
    rows = [
        {
            "generation": each.number,
            "live": each.live,
            "feature_set": each.hash,
            "features": len(each.features) if each.features else None,
            "reason": each.reason,
        }
        for each in kept.all()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    print_table(
        [
            ["*" if r["live"] else "", *map(str, list(r.values())[:1] + list(r.values())[2:])]
            for r in rows
        ],
        ["LIVE", "GENERATION", "FEATURE SET", "FEATURES", "REASON"],
    )


@group.command()
def stats(
    generation: Annotated[
        int | None, typer.Option("--generation", min=1, help="Which; the live one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how many states there are and how large they are, per kind of entity and in total."""
    from runtime.composition.features import generations_of, states_in_bulk
    from runtime.settings import load_settings

    settings = load_settings()
    number = generation or generations_of(settings).live().number
    bulk, seen = states_in_bulk(settings, number), 0
    with progress_shown() as (say, count):
        say("measuring states")
        for keys in bulk.measure():
            seen += keys
            count(seen, None)
    rows: list[dict[str, Any]] = [
        {
            "entity": each.entity.value,
            "states": len(each.lengths),
            "bytes": sum(each.lengths),
            "mean": round(sum(each.lengths) / max(1, len(each.lengths))),
            "p50": each.quantile(0.5),
            "p99": each.quantile(0.99),
            "max": each.largest[0][0] if each.largest else 0,
            "lost": each.lost,
            "largest": [bulk.name_of(key) for _, key in each.largest],
        }
        for each in bulk.sizes.values()
        if each.lengths or each.lost
    ]
    total = {"states": sum(r["states"] for r in rows), "bytes": sum(r["bytes"] for r in rows)}
    if as_json:
        print(json.dumps({"generation": number, "total": total, "entities": rows}))
        return
    for row in rows:
        row["largest"] = row["largest"][0] if row["largest"] else ""
    table = [[f"{v:,}" if isinstance(v, int) else str(v) for v in r.values()] for r in rows]
    print_table(
        table, ["ENTITY", "STATES", "BYTES", "MEAN", "P50", "P99", "MAX", "LOST", "LARGEST"]
    )
    print(f"generation {number}: {total['states']:,} states, {total['bytes']:,} bytes")
    lost = sum(row["lost"] for row in rows)
    if lost:
        print(f"{lost:,} states are lost: the features worker makes them again from the log")


@contextmanager
def _rebuilder() -> Iterator[Rebuilder]:
    from operations.features.rebuild import Rebuilder
    from runtime.composition.features import open_rebuild
    from runtime.settings import load_settings

    with progress_shown() as (say, count), open_rebuild(load_settings()) as ports:
        yield Rebuilder(ports, say, count)
