"""Queries of the read models, in SQLAlchemy Core, with typed results.

Every method blocks, and raises UnavailableError where PostgreSQL does not answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, Select, Table, func, select, text, tuple_

from domain.errors import NotFoundError
from domain.times import DAY
from projections.readmodels.queries.cases import Cases
from projections.readmodels.queries.cursors import Place, check_limit, read_cursor, write_cursor
from projections.readmodels.queries.results import (
    Accounting,
    AlertFilter,
    DailyFigures,
    DecisionFilter,
    DeliveryFilter,
    FeatureSkew,
    MeasuredHealth,
    Page,
    ReplayCheck,
    StoredAlert,
    StoredDecision,
    StoredDelivery,
    StoredLabel,
    StoredModelAlert,
    StoredTransaction,
)
from projections.readmodels.storage import tables
from projections.readmodels.storage.connecting import transaction

T = TypeVar("T")
AHEAD_US = DAY
"""An event time is not so far after a known time: five minutes, and the clocks of two hosts."""


@dataclass(frozen=True, slots=True)
class ReadModels:
    """Thread-safe; holds a connection only while a question is answered."""

    engine: Engine

    @property
    def cases(self) -> Cases:
        return Cases(self.engine)

    def transaction(self, transaction_id: str) -> StoredTransaction | None:
        return self._one(tables.transactions, StoredTransaction, transaction_id, in_time=True)

    def feature_skew(self) -> list[FeatureSkew]:
        """Training-serving skew: served values compared with ideal ones, by feature and lag."""
        t = tables.feature_consistency
        asked = select(t).order_by(t.c.feature_set, t.c.feature, t.c.lag)
        return self._all(asked, FeatureSkew)

    def decision(self, transaction_id: str) -> StoredDecision | None:
        return self._one(tables.decisions, StoredDecision, transaction_id, in_time=True)

    def labels_for_transaction(self, transaction_id: str) -> list[StoredLabel]:
        """In the log's order: the last one is current."""
        t = tables.labels
        asked = select(t).where(t.c.transaction_id == transaction_id)
        return self._all(asked.order_by(t.c.source_offset), StoredLabel)

    def current_label(self, transaction_id: str) -> StoredLabel | None:
        return self._one(tables.current_labels, StoredLabel, transaction_id)

    def decisions(
        self, asked: DecisionFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[StoredDecision]:
        """Newest first, by (known time, transaction id). Rows that come later shift no page."""
        t, s = tables.decisions, tables.step_ups
        conditions = [
            *_equal(t, asked, ("outcome", "customer_id", "merchant_id", "card_id", "model_id")),
            *_between(t.c.known_time, asked.since, asked.until),
        ]
        if asked.min_score is not None:
            conditions.append(t.c.score >= asked.min_score)
        # Partitions are by event time: those of later months hold nothing that was known before.
        ends = [asked.until] if asked.until is not None else []
        if cursor is not None:
            ends.append(read_cursor(cursor, asked).time)
        if ends:
            conditions.append(t.c.timestamp < min(ends) + AHEAD_US)
        order = (t.c.known_time, t.c.transaction_id)
        return self._page(
            select(t, s.c.result.label("step_up_result")).outerjoin(
                s, s.c.transaction_id == t.c.transaction_id
            ).where(*conditions), order, StoredDecision, asked, limit, cursor,
            lambda item: Place(item.known_time, item.transaction_id),
        )  # fmt: skip

    def alerts_for(
        self, asked: AlertFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[StoredAlert]:
        """Newest first, by (time of raising, alert id)."""
        t = tables.alerts
        keys = ("state", "transaction_id", "customer_id", "merchant_id", "card_id")
        conditions = [*_equal(t, asked, keys), *_between(t.c.raised_time, asked.since, asked.until)]
        order = (t.c.raised_time, t.c.alert_id)
        return self._page(
            select(t).where(*conditions), order, StoredAlert, asked, limit, cursor,
            lambda item: Place(item.raised_time, item.alert_id),
        )  # fmt: skip

    def model_alerts(self, state: str | None = None, limit: int = 50) -> list[StoredModelAlert]:
        """Newest first."""
        t = tables.model_alerts
        asked = select(t).order_by(t.c.raised_time.desc(), t.c.alert_id.desc()).limit(limit)
        if state is not None:
            asked = asked.where(t.c.state == state)
        return self._all(asked, StoredModelAlert)

    def deliveries(self, asked: DeliveryFilter, limit: int = 50) -> list[StoredDelivery]:
        """Newest first."""
        t = tables.alert_deliveries
        conditions = _equal(t, asked, ("alert_id", "route", "key", "state"))
        order = (t.c.known_time.desc(), t.c.event_id.desc())
        rows = select(t).where(*conditions).order_by(*order).limit(limit)
        return self._all(rows, StoredDelivery)

    def alert_place(self, alert_id: str) -> tuple[int, int]:
        """Partition and offset of any alert in the log. Raises NotFoundError."""
        for t in (tables.alerts, tables.model_alerts):
            places = select(t.c.source_partition, t.c.source_offset)
            for partition, offset in self._rows(places.where(t.c.alert_id == alert_id)):
                return int(partition), int(offset)
        raise NotFoundError("alert", alert_id)

    def model_health(self) -> list[MeasuredHealth]:
        """The newest measurement of each monitored model."""
        t = tables.model_health
        asked = select(t).order_by(t.c.model_hash, t.c.measure, t.c.feature)
        return self._all(asked, MeasuredHealth)

    def replay_check(self) -> ReplayCheck | None:
        """None before the first turn was proven."""
        t = tables.replay_checks
        proven = t.c.ended_time.is_not(None) & (t.c.failed == "")
        columns = (t.c.turn, t.c.compared, t.c.different, t.c.looked_time.label("proven_time"))
        asked = select(*columns).where(proven).order_by(t.c.turn.desc()).limit(1)
        return next(iter(self._all(asked, ReplayCheck)), None)

    def merchant_days(self, merchant_id: str, first: date, last: date) -> list[DailyFigures]:
        """Days with at least one transaction, oldest first, both ends included."""
        return self._days(tables.merchant_daily, "merchant_id", merchant_id, first, last)

    def customer_days(self, customer_id: str, first: date, last: date) -> list[DailyFigures]:
        return self._days(tables.customer_daily, "customer_id", customer_id, first, last)

    def accounting(self, ends: Mapping[str, Sequence[int]]) -> list[Accounting]:
        """`ends`: per topic (full name) and partition the offset after the last record.

        Read the ends before asking: what is produced meanwhile is then projected at most twice
        as seen from here, and shows as a negative `in_flight`, never as a loss.
        """
        t = tables.projection_positions
        sums = [func.sum(t.c[name]) for name in ("projected", "void", "dead")]
        rows = self._rows(
            select(t.c.projection, t.c.topic, func.sum(t.c.next_offset), *sums)
            .where(t.c.topic.in_(list(ends)))
            .group_by(t.c.projection, t.c.topic)
            .order_by(t.c.projection, t.c.topic)
        )
        return [
            Accounting(
                projection=projection,
                topic=topic,
                produced=sum(ends[topic]),
                projected=int(projected),
                void=int(void),
                dead=int(dead),
                in_flight=sum(ends[topic]) - int(following),
            )
            for projection, topic, following, projected, void, dead in rows
        ]

    def positions(self, projection: str) -> dict[str, dict[int, int]]:
        """Per topic and partition the offset of the next record to project."""
        t = tables.projection_positions
        asked = select(t.c.topic, t.c.partition, t.c.next_offset)
        found: dict[str, dict[int, int]] = {}
        for topic, partition, following in self._rows(asked.where(t.c.projection == projection)):
            found.setdefault(topic, {})[partition] = following
        return found

    def _one(
        self, table: Table, shape: Callable[..., T], transaction_id: str, in_time: bool = False
    ) -> T | None:
        """`in_time`: in partitions by the time of the transaction, of which one is read."""
        asked = select(table).where(table.c.transaction_id == transaction_id)
        if in_time:
            asked = asked.where(table.c.timestamp == _time_of(transaction_id))
        return next(iter(self._all(asked, shape)), None)

    def _days(
        self, table: Table, column: str, key: str, first: date, last: date
    ) -> list[DailyFigures]:
        columns = [table.c[name] for name in ("day", *tables.FIGURES)]
        asked = select(*columns).where(table.c[column] == key, table.c.day.between(first, last))
        rows = self._rows(asked.order_by(table.c.day))
        return [DailyFigures(day=row[0], **_integers(row)) for row in rows]

    def _page(
        self,
        asked: Select[Any],
        order: tuple[ColumnElement[Any], ColumnElement[Any]],
        shape: Callable[..., T],
        question: object,
        limit: int,
        cursor: str | None,
        place: Callable[[T], Place],
    ) -> Page[T]:
        check_limit(limit)
        if cursor is not None:
            after = read_cursor(cursor, question)
            asked = asked.where(tuple_(*order) < tuple_(after.time, after.key, types=_types(order)))
        found = self._all(asked.order_by(*(c.desc() for c in order)).limit(limit + 1), shape)
        items = found[:limit]
        more = len(found) > limit
        return Page(items, write_cursor(place(items[-1]), question) if more else None)

    def _all(self, asked: Select[Any], shape: Callable[..., T]) -> list[T]:
        return [shape(**row._mapping) for row in self._rows(asked)]

    def _rows(self, asked: Select[Any]) -> Sequence[Any]:
        with transaction(self.engine) as connection:
            return connection.execute(asked).all()


def forget(engine: Engine, projection: str = "readmodels") -> None:
    """Empties the read models so that they are rebuilt from the log; stops their present writers.

    One transaction: whoever holds a partition is fenced, and the next assignment begins at 0.
    Months that retention has dropped are not made again.
    """
    names = (
        "transactions, transaction_ids, decisions, step_ups, labels, alerts, model_alerts,"
        " alert_deliveries, merchant_daily, customer_daily, case_events, cases"
    )
    with transaction(engine) as connection:
        # In the order of a writer, who locks its position first.
        connection.execute(
            text(
                "UPDATE projection_positions SET epoch = epoch + 1, next_offset = 0,"
                " projected = 0, void = 0, dead = 0 WHERE projection = :projection"
            ),
            {"projection": projection},
        )
        connection.execute(text(f"TRUNCATE {names}"))


def _time_of(transaction_id: str) -> Any:
    t = tables.transaction_ids
    return select(t.c.timestamp).where(t.c.transaction_id == transaction_id).scalar_subquery()


def _equal(table: Table, asked: object, names: Iterable[str]) -> list[ColumnElement[bool]]:
    given = {name: getattr(asked, name) for name in names}
    return [table.c[name] == value for name, value in given.items() if value is not None]


def _between(
    column: ColumnElement[Any], since: int | None, until: int | None
) -> list[ColumnElement[bool]]:
    lower = [column >= since] if since is not None else []
    upper = [column < until] if until is not None else []
    return [*lower, *upper]


def _types(order: Iterable[ColumnElement[Any]]) -> list[Any]:
    return [column.type for column in order]


def _integers(row: Sequence[Any]) -> dict[str, int]:
    return {name: int(value) for name, value in zip(tables.FIGURES, row[1:], strict=True)}
