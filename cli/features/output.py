"""Output of `retrace features`: tables, progress and the outcome of a verification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from cli.output import print_table

if TYPE_CHECKING:
    from operations.features.verify import Proof


def print_proof(proof: Proof, seconds: float, as_json: bool) -> None:
    from operations.features.verify import first_differences, summary

    if as_json:
        print(json.dumps(_as_json(proof, seconds)))
        return
    for note in proof.notes:
        typer.echo(f"note: {note}", err=True)
    _table(proof)
    found = first_differences(proof)
    if found:
        _differences(found)
    print(f"{proof.transactions:,} transactions in {seconds:.0f} s")
    print(summary(proof))


def _table(proof: Proof) -> None:
    rows = [[each.name, f"{each.values:,}", f"{each.different:,}"] for each in proof.compared]
    print_table(rows, ["COMPARED", "VALUES", "DIFFERENT"])


def _differences(found: list[tuple[str, Any]]) -> None:
    rows = [
        [name, each.feature, each.entity, each.subject, each.position, each.left, each.right]
        for name, each in found
    ]
    titles = ["WHERE", "FEATURE", "ENTITY", "OF", "POSITION", "EXPECTED", "FOUND"]
    print_table(rows, titles)


def _as_json(proof: Proof, seconds: float) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "compared": proof.values,
        "different": proof.different,
        "transactions": proof.transactions,
        "seconds": round(seconds, 1),
        "notes": proof.notes,
        "comparisons": [asdict(each) for each in proof.compared],
    }


def print_self_test(proof: Proof, planted: list[tuple[str, str]], as_json: bool) -> int:
    """0 where each planted difference was found, named, and nothing else differed."""
    found = {
        (each.name, name)
        for each in proof.compared
        for difference in each.shown
        for name in (difference.feature, difference.subject)
    }
    missed = [each for each in planted if each not in found]
    good = bool(planted) and not missed
    if as_json:
        print(json.dumps({"planted": planted, "missed": missed, "found": good}))
    else:
        for where, what in planted:
            state = "found" if (where, what) in found else "MISSED"
            print(f"planted in {where}, {what}: {state}")
        print("the proof can fail" if good else "the proof cannot be trusted")
    return 0 if good else 1
