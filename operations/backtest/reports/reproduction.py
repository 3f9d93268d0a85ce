"""Reproduction of live decisions, in sentences and rows: the screen and the page say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operations.backtest.reports.markup import Markup, tag
from operations.backtest.reports.tables import table

_OF_HASH = 12  # characters of a model's hash
COLUMNS = ("Transaction", "Cause", "", "Recorded", "Played")


def line(report: Mapping[str, Any]) -> str | None:
    """None where no live policy was played, or nothing was decided live."""
    found = report.get("reproduction")
    if not found or not found["decisions"]:
        return None
    return (
        f"recorded decisions {found['decisions']:,}, reproduced {found['reproduced']:,},"
        f" different {found['different']:,}, with {report['features']} features"
    )


def told(report: Mapping[str, Any]) -> list[str]:
    """What more there is to say: why some differ, and how many were served other features."""
    found = report["reproduction"]
    causes = ", ".join(f"{number:,} {name}" for name, number in found["causes"].items())
    said = [f"different by {causes}"] if causes else []
    if found["served_behind"]:
        said.append(f"{found['served_behind']:,} were served features that are not the ideal ones")
    return said


def difference(each: Mapping[str, Any]) -> str:
    """One decision that differs, as a line."""
    both = (
        f"{name} {_text(name, mine)} and not {_text(name, each['played'][name])}"
        for name, mine in each["recorded"].items()
    )
    return f"{each['transaction_id']}, {_cause(each)}: {', '.join(both)}"


def rows(report: Mapping[str, Any]) -> Iterator[list[str]]:
    """Columns of COLUMNS, one row for each thing that differs in a decision."""
    for each in report["reproduction"]["differences"]:
        for name, mine in each["recorded"].items():
            both = _text(name, mine), _text(name, each["played"][name])
            yield [each["transaction_id"], _cause(each), name, *both]


def _cause(each: Mapping[str, Any]) -> str:
    return f"{each['cause']} ({each['detail']})" if each["detail"] else str(each["cause"])


def _text(name: str, value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else repr(value)
    return text[:_OF_HASH] if name == "model" else text


def shown(report: Mapping[str, Any]) -> list[Markup]:
    """For the page; nothing where there is no `line`."""
    said = line(report)
    if said is None:
        return []
    made = [tag("p", f"{each[0].upper()}{each[1:]}.") for each in (said, *told(report))]
    if differing := list(rows(report)):
        kinds = (None,) * len(COLUMNS)
        made.append(table("Decisions that differ", COLUMNS, differing, kinds, sorts=True))
    return made
