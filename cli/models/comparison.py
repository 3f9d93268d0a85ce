"""`retrace models compare`: champion and challenger side by side."""

import json
from typing import Annotated, Any

import typer

from cli.models.group import AsJson, Named, cell, group
from cli.output import parse_moment, print_table

_AT_TRAINING = ("auc", "average_precision", "recall_declined", "recall_reviewed")
_LIVE = ("auc", "average_precision", "recall_of_declines", "precision_of_declines")
_EVER = 253_402_300_799_000_000
"""The last second of the year 9999, microseconds UTC."""


def register() -> None:
    """Adds the command to `retrace models`."""
    group.command()(compare)


def compare(
    champion: Named,
    challenger: Named,
    live: Annotated[
        bool, typer.Option("--live", help="On transactions that both have scored.")
    ] = False,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="With --live: from this event time on.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="TIME", help="With --live: before this event time.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Two models side by side: as measured when trained, or on what both scored live."""
    from domain.errors import InvalidInputError
    from operations.models.listing import manifests_of
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if live:
        report = _live(champion, challenger, since, until)
        print(json.dumps(report)) if as_json else _print_live(report)
        return
    if since or until:
        raise InvalidInputError("--from/--to", "what was measured at training has no range: --live")
    with open_models(load_settings()) as models:
        both = manifests_of(models, champion, challenger)
    facts = {each.model_id: each.facts for each in both}
    if as_json:
        print(json.dumps(facts))
        return
    names = ("as_known_at", "transactions", "frauds", "validated_from")
    rows = [[name, *(cell(each.facts.get(name)) for each in both)] for name in names]
    rows.append(["knows_no_history", *(cell(each.knows_no_history) for each in both)])
    rows += [[n, *(cell(each.facts["metrics"].get(n)) for each in both)] for n in _AT_TRAINING]
    print_table(rows, ["", *(each.model_id for each in both)])


def _live(champion: str, challenger: str, since: str, until: str) -> dict[str, Any]:
    """On transactions that both have scored. Raises InvalidInputError for an empty range."""
    from domain.errors import InvalidInputError
    from operations.backtest.champion_challenger import compare_live
    from runtime.composition.log import open_log
    from runtime.composition.read_models import LONG_SECONDS, open_engine
    from runtime.settings import load_settings

    first, last = parse_moment("--from", since or None), parse_moment("--to", until or None)
    begin, end = first or 0, _EVER if last is None else last
    if begin >= end:
        raise InvalidInputError("--from/--to", "the range is empty: --to is not after --from")
    settings = load_settings()
    with open_log(settings) as log, open_engine(settings, LONG_SECONDS) as engine:
        return compare_live(log, engine, champion, challenger, begin, end)


def _print_live(report: dict[str, Any]) -> None:
    mine, other = report["champion"]["model_id"], report["challenger"]["model_id"]
    print(
        f"{report['transactions']:,} transactions scored by both; {mine} decided"
        f" {report['decided_by_champion']:,} of them, {other} {report['decided_by_challenger']:,}"
    )
    if not report["transactions"]:
        print("`retrace models shadow ID --from TIME` lets a model score what others decide")
        return
    same = report["agreement"]["same_outcome"]
    print(f"{same:.2%} have the same outcome; mean difference of scores", end=" ")
    print(f"{report['agreement']['mean_difference']:.4f}\n")
    outcomes = list(report["switches"])
    titles = [f"{mine} \\ {other}", *outcomes]
    switches = report["switches"]
    print_table([[name, *(f"{n:,}" for n in switches[name].values())] for name in outcomes], titles)
    for name, measures in report["by_maturity"].items():
        _print_maturity(name, measures, mine, other)
    _print_disagreements(report["disagreements"], mine, other)
    if report["declined"]:
        print(f"\n* declined ({report['declined']:,}): censored, since what was not paid is seldom")
        print("  labelled; left out of auc and average_precision")


def _print_maturity(name: str, found: dict[str, Any], mine: str, other: str) -> None:
    print(
        f"\nLabels {name}: {found['payments']:,} payments, {found['frauds']:,} fraud,"
        f" {found['genuine']:,} genuine; {found['censored']:,} declined*,"
        f" {found['censored_labelled']:,} of them labelled"
    )
    if found["frauds"] + found["genuine"]:
        rows = [
            [each, cell(found["champion"][each]), cell(found["challenger"][each])] for each in _LIVE
        ]
        print_table(rows, ["", mine, other])


def _print_disagreements(examples: list[dict[str, Any]], mine: str, other: str) -> None:
    if not examples:
        return
    print("\nThe greatest disagreements")
    labels = {None: "-", 0: "genuine", 1: "fraud"}
    rows = [
        [
            each["transaction_id"] + ("*" if each["declined"] else ""),
            each["timestamp"],
            *(f"{each[s]['score']:.4f} {each[s]['outcome']}" for s in ("champion", "challenger")),
            labels[each["label"]],
        ]
        for each in examples
    ]
    print_table(rows, ["TRANSACTION", "TIME", mine, other, "LABEL"])
