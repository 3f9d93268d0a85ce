"""The command `retrace explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli.output import parse_moment, progress_shown


def explain(
    transaction_id: Annotated[str, typer.Argument(metavar="TRANSACTION_ID", help="Its id.")],
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            metavar="TIME",
            help="Also by what was known then: late payments, labels, corrections.",
        ),
    ] = None,
    feature: Annotated[
        str | None, typer.Option("--feature", metavar="NAME", help="This feature's events alone.")
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="Every feature, not the weighty ones.")] = (
        False
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell why a payment was decided so, from the log, and what would have changed that."""
    from cli.explain.events import print_feature
    from cli.explain.text import print_explanation
    from domain.errors import InvalidInputError, NotFoundError
    from runtime.composition.deciding.explaining import open_explaining
    from runtime.settings import load_settings

    at = parse_moment("--as-known-at", as_known_at)
    if not transaction_id:
        raise InvalidInputError("TRANSACTION_ID", "is empty")
    with open_explaining(load_settings()) as explained, progress_shown() as (say, _):
        say("reading the log")
        made = explained(transaction_id, at)
    found = [each for each in made.features if feature in (None, each.name)]
    if not found and feature is not None:
        raise NotFoundError("feature", feature)
    if as_json:
        told = asdict(made)
        print(json.dumps(told | {"features": [asdict(each) for each in found]}))
    elif feature is not None:
        print_feature(found[0], made.events_shown)
    else:
        print_explanation(made, whole=whole)
