"""Files of a report, in one folder: report.html, report.json and decisions.parquet."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from pathlib import Path

from domain.errors import InvalidInputError
from domain.events import BacktestCompleted
from host.files import whole_file, writing
from operations.backtest.policies.run import PolicyBacktest
from operations.backtest.reports.decisions import write_decisions
from operations.backtest.reports.page import page

PAGE, REPORT, DECISIONS = "report.html", "report.json", "decisions.parquet"


def check_folder(folder: Path) -> None:
    """Raises InvalidInputError where no report can be written there."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError("--report", f"{folder} is no folder")
    if not folder.parent.is_dir():
        raise InvalidInputError("--report", f"there is no folder {folder.parent}")


def write_report(
    made: PolicyBacktest, report: bytes, fact: BacktestCompleted, folder: Path
) -> None:
    """All three files or none; an earlier report there is replaced.

    `report` are the bytes of report.json. Raises UnavailableError where the disk is full.
    """
    with writing(folder, "name another folder"):
        made_here = not folder.exists()
        folder.mkdir(exist_ok=True)
        try:
            # All drafts are complete before the first takes its place.
            with ExitStack() as drafts:
                html, document, decisions = (
                    drafts.enter_context(whole_file(folder / name))
                    for name in (PAGE, REPORT, DECISIONS)
                )
                write_decisions(made, fact.backtest_id, decisions)
                document.write_bytes(report)
                html.write_text(page(json.loads(report), fact), encoding="utf-8")
        except BaseException:
            if made_here:
                with suppress(OSError):
                    folder.rmdir()
            raise
