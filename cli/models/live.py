"""Owns how a comparison of two models on live traffic is asked for and shown."""

from __future__ import annotations

from typing import Any

_MEASURES = ("auc", "average_precision", "recall_of_declines", "precision_of_declines")
_EVER = 253_402_300_799_000_000
"""The last second of the year 9999, microseconds UTC."""


def live(champion: str, challenger: str, since: str, until: str) -> dict[str, Any]:
    """Compares over what both have scored. Raises InvalidInputError for an empty range."""
    from cli.output import parse_moment
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


def show_live(report: dict[str, Any]) -> None:
    from cli.output import print_table

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
    for name, told in report["by_maturity"].items():
        _show_maturity(name, told, mine, other)
    _show_disagreements(report["disagreements"], mine, other)
    if report["declined"]:
        print(f"\n* declined ({report['declined']:,}): censored, for what was not paid is seldom")
        print("  labelled; left out of auc and average_precision")


def _show_maturity(name: str, told: dict[str, Any], mine: str, other: str) -> None:
    from cli.output import print_table

    print(
        f"\nLabels {name}: {told['payments']:,} payments, {told['frauds']:,} fraud,"
        f" {told['genuine']:,} genuine; {told['censored']:,} declined*,"
        f" {told['censored_labelled']:,} of them labelled"
    )
    if told["frauds"] + told["genuine"]:
        rows = [
            [each, _said(told["champion"][each]), _said(told["challenger"][each])]
            for each in _MEASURES
        ]
        print_table(rows, ["", mine, other])


def _show_disagreements(examples: list[dict[str, Any]], mine: str, other: str) -> None:
    from cli.output import print_table

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


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
