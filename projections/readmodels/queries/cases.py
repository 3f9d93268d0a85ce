"""Queries of cases: the queue of what to do, one case with its alerts, and what was done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, Numeric, Select, case, cast, func, literal, select, tuple_, union
from sqlalchemy.dialects.postgresql import INTERVAL

from domain.cases import DONE, PRIORITIES, State, overdue_id, priority_of
from domain.errors import InvalidInputError, NotFoundError
from domain.events import CaseAction, CaseOverdue, Verdict
from projections.readmodels.queries.cursors import Place, check_limit, read_cursor, write_cursor
from projections.readmodels.queries.results import Page, StoredAlert
from projections.readmodels.storage import tables
from projections.readmodels.storage.connecting import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """All given ones must hold; `done` counts where no state is given."""

    state: State | None = None
    done: bool = False
    assignee: str | None = None
    payer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """One row of `cases`. Money in minor units of the base currency; times in us. `awaiting` are
    requests that nobody has answered."""

    case_id: str
    payer_kind: str
    payer_id: str
    alerts: int
    declined: int
    first_alert_time: int
    last_alert_time: int
    base_amount: float
    expected_loss: float
    state: State
    assignee: str | None
    verdict: Verdict | None
    handled_time: int | None
    handled_by: str | None
    awaiting: int = 0

    @property
    def priority(self) -> int:
        return priority_of(self.expected_loss)

    @property
    def due_time(self) -> int:
        """By when somebody is to have dealt with it."""
        return self.first_alert_time + PRIORITIES[self.priority][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCaseEvent:
    """One row of `case_events`."""

    event_id: str
    case_id: str
    action: CaseAction | Literal["request", "overdue"]
    by: str
    known_time: int
    state: State | None
    to: str | None
    verdict: Verdict | None
    transactions: list[str] | None
    note: str | None
    wanted: CaseAction | None
    request: str | None
    approved_by: str | None
    source_topic: str
    source_partition: int
    source_offset: int


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case, its alerts, oldest first, and what was done, in order."""

    case: StoredCase
    alerts: list[StoredAlert]
    events: list[StoredCaseEvent]


def pending(events: Iterable[StoredCaseEvent]) -> list[StoredCaseEvent]:
    """The requests that nobody has answered."""
    kept = list(events)
    answered = {each.request for each in kept}
    return [each for each in kept if each.action == "request" and each.event_id not in answered]


class Cases:
    """Thread-safe. Every method blocks, and raises UnavailableError where PostgreSQL is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def queue(
        self, asked: CaseFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[StoredCase]:
        """What is due first comes first: the order follows from expected loss and age."""
        check_limit(limit)
        t = tables.cases
        order = (_due(), t.c.case_id)
        query = select(t)
        if asked.state is not None:
            query = query.where(t.c.state == asked.state)
        else:
            done = t.c.state.in_(DONE)
            query = query.where(done if asked.done else ~done)
        for name in ("assignee", "payer_id"):
            if (value := getattr(asked, name)) is not None:
                query = query.where(t.c[name] == value)
        if cursor is not None:
            after = read_cursor(cursor, asked)
            last = (literal(after.time, t.c.first_alert_time.type), literal(after.key))
            query = query.where(tuple_(*order) > tuple_(*last))
        found = [StoredCase(**row) for row in self._rows(query.order_by(*order).limit(limit + 1))]
        items = found[:limit]
        if len(found) == len(items):
            return Page(items, None)
        return Page(items, write_cursor(Place(items[-1].due_time, items[-1].case_id), asked))

    def history(self, case_id: str) -> CaseHistory:
        """Raises NotFoundError."""
        c, a, e = tables.cases, tables.alerts, tables.case_events
        found = next(iter(self._rows(select(c).where(c.c.case_id == case_id))), None)
        if found is None:
            raise NotFoundError("case", case_id)
        alerts = select(a).where(a.c.case_id == case_id).order_by(a.c.raised_time, a.c.alert_id)
        events = select(e).where(e.c.case_id == case_id).order_by(e.c.source_offset)
        return CaseHistory(
            StoredCase(**found),
            [StoredAlert(**row) for row in self._rows(alerts)],
            [StoredCaseEvent(**row) for row in self._rows(events)],
        )

    def overdue(self, since: int, now: int, most: int) -> list[CaseOverdue]:
        """Those that fell due since then, are not done, and of which nobody has said so."""
        t, e = tables.cases, tables.case_events
        due = (_due() >= _moment(since), _due() < _moment(now))
        query = select(t).where(~t.c.state.in_(DONE), *due).order_by(_due()).limit(most)
        found = [_overdue(StoredCase(**row)) for row in self._rows(query)]
        ids = [each.alert_id for each in found]
        said = {row["event_id"] for row in self._rows(select(e).where(e.c.event_id.in_(ids)))}
        return [each for each in found if each.alert_id not in said]

    def waiting(self, now: int) -> dict[int, tuple[int, int]]:
        """By priority: how many cases are not done, and how many of these are overdue."""
        t = tables.cases
        late = func.count().filter(_due() < _moment(now))
        query = select(_priority().label("p"), func.count().label("n"), late.label("late"))
        rows = self._rows(query.where(~t.c.state.in_(DONE)).group_by("p"))
        found = {row["p"]: (row["n"], row["late"]) for row in rows}
        return {number: found.get(number, (0, 0)) for number in PRIORITIES}

    def of_message(self, route: str, key: str, most: int) -> list[str]:
        """The cases of the alerts that went out by a route in the message `key`; of an alert, an
        overdue case or a case of that id. Raises InvalidInputError for more than `most`."""
        a, d, c = tables.alerts, tables.alert_deliveries, tables.cases
        sent = select(d.c.alert_id).where(d.c.key == key, d.c.route == route)
        wanted = select(a.c.case_id).where(a.c.alert_id.in_(sent) | (a.c.alert_id == key))
        case_id = key.split("/")[1] if key.startswith(f"{CaseOverdue.NAME}/") else key
        asked = union(wanted, select(c.c.case_id).where(c.c.case_id == case_id))
        with transaction(self._engine) as connection:
            found = [str(row[0]) for row in connection.execute(asked.limit(most + 1))]
        if len(found) > most:
            told = f"is of more than {most} cases: handle them in Retrace"
            raise InvalidInputError("key", told)
        return sorted(found)

    def _rows(self, query: Select[Any]) -> Iterable[dict[str, Any]]:
        with transaction(self._engine) as connection:
            return [dict(row._mapping) for row in connection.execute(query)]


def _overdue(case: StoredCase) -> CaseOverdue:
    return CaseOverdue(
        alert_id=overdue_id(case.case_id, case.due_time),
        case_id=case.case_id,
        due_time=case.due_time,
        priority=case.priority,
        alerts=case.alerts,
        base_amount=int(case.base_amount),
        expected_loss=round(case.expected_loss),
        assignee=case.assignee,
    )


def _priority() -> Any:
    """As StoredCase.priority has it."""
    t = tables.cases
    least = [(t.c.expected_loss >= cast(each[0], Numeric), n) for n, each in PRIORITIES.items()]
    return case(*least)


def _moment(micros: int) -> Any:
    return literal(micros, tables.cases.c.first_alert_time.type)


def _due() -> Any:
    """As StoredCase.due_time has it."""
    t = tables.cases
    within = [
        (t.c.expected_loss >= cast(least, Numeric), cast(f"{us} microseconds", INTERVAL))
        for least, us in PRIORITIES.values()
    ]
    return t.c.first_alert_time + case(*within)
