"""Turns of the scheduled replay: which is being proven, and what the last ones found.

They are begun and ended in operations/replay/scheduled, and read for /metrics in queries.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, text, update

from domain.times import DAY
from projections.readmodels.storage import tables
from projections.readmodels.storage.connecting import transaction

KEPT_US = 90 * DAY
_T = tables.replay_checks


@dataclass(frozen=True, slots=True)
class Checked:
    """What a turn found; `failed` says why it was not proven."""

    turn: int
    compared: int = 0
    different: int = 0
    causes: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """Turns since the last one that was proven, when the first of them began (microseconds UTC),
    and why the last one failed."""

    number: int
    since: int = 0
    reason: str = ""


def begin(engine: Engine, now: int, records: int, every: int, dead: int) -> int | None:
    """The number of the turn that is the caller's to prove, None where none is due.

    One is due `every` microseconds after the last one began, unless the log still has as many
    `records` as then and that one was proven: it counts as proven now. One that has not ended is
    waited for, `dead` microseconds at least. However many ask at once, one gets it. Raises
    UnavailableError.
    """
    with transaction(engine) as connection:
        return begun(connection, now, records, every, dead)


def begun(connection: Connection, now: int, records: int, every: int, dead: int) -> int | None:
    """As `begin`, in a transaction that others wait for."""
    connection.execute(text("LOCK TABLE replay_checks IN EXCLUSIVE MODE"))
    last = connection.execute(select(_T).order_by(_T.c.turn.desc()).limit(1)).first()
    if last is not None:
        wait = max(every, dead) if last.ended_time is None else every
        if now - last.looked_time < wait:
            return None
        if _is_good(last) and last.records == records:
            same = update(_T).where(_T.c.turn == last.turn)
            connection.execute(same.values(looked_time=now))
            return None
    turn = last.turn + 1 if last else 1
    connection.execute(
        insert(_T).values(
            turn=turn, begun_time=now, looked_time=now, records=records, compared=0,
            different=0, causes="", failed="",
        )
    )  # fmt: skip
    connection.execute(delete(_T).where(_T.c.begun_time < now - KEPT_US))
    return turn


def end(engine: Engine, found: Checked, now: int) -> None:
    """Raises UnavailableError."""
    with transaction(engine) as connection:
        values: dict[str, Any] = {
            "compared": found.compared,
            "different": found.different,
            "causes": found.causes,
            "failed": found.failed,
        }
        mine = update(_T).where(_T.c.turn == found.turn)
        connection.execute(mine.values(**values, ended_time=now))


def failing(engine: Engine) -> Failing:
    """Of turns that ended, and of those that others have followed. Raises UnavailableError."""
    with transaction(engine) as connection:
        rows = connection.execute(select(_T).order_by(_T.c.turn.desc())).all()
    over = [row for place, row in enumerate(rows) if place or row.ended_time is not None]
    number = next((n for n, row in enumerate(over) if _is_good(row)), len(over))
    if not number:
        return Failing(0)
    return Failing(number, over[number - 1].begun_time, over[0].failed or "it did not end")


def _is_good(row: Row[Any]) -> bool:
    return row.ended_time is not None and not row.failed
