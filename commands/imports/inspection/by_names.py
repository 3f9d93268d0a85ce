"""Proposal for a file of no known shape: fields by the names and contents of its columns."""

from collections.abc import Sequence
from typing import Any

from commands.imports.inspection.evidence import (
    date_order,
    decimal_of,
    fit_for_lookup,
    has_short_years,
    label_counts,
    refused_by,
    texts_of,
    unread_labels,
    without_offset,
)
from commands.imports.inspection.names import FIELD_NAMES, LABEL_NAMES, TIME_PARTS, plain
from commands.imports.inspection.profile import Profile
from commands.imports.inspection.proposal import READ_AS_UTC, REVERSED, Proposal, Question, Values
from commands.imports.mapping.labels import read_label
from commands.imports.mapping.model import FieldMapping, FileMapping, LabelMapping
from commands.imports.mapping.yaml_file import FILL_IN
from domain.cleaning.fields import clean_channel
from domain.cleaning.unclean import UncleanError
from domain.money import EXPONENTS

_START = "2020-01-01T00:00:00Z"
_SECONDS_FROM = 100_000.0
_EPOCH = 631_152_000.0  # 1990, in seconds
_OTHER = {
    "timestamp": f"a count: {{column: NAME, counter: {{unit: hour, start: '{_START}'}}}}",
    "amount": "the same for all rows: {constant: '1'}",
}
_MOST_NAMED = 12
_LEAST_ROWS = 50  # that all differ by chance in fewer


def proposal_by_names(profiles: Sequence[Profile], values: Values, now: int) -> Proposal:
    return _Draft(profiles, values, now).proposal()


class _Draft:
    def __init__(self, profiles: Sequence[Profile], values: Values, now: int) -> None:
        self._profiles, self._values, self._now = profiles, values, now
        self._known = {plain(profile.name): profile for profile in reversed(profiles)}
        self._fields: dict[str, FieldMapping] = {}
        self._reasons: dict[str, str] = {}
        self._missing: list[str] = []
        self._questions: list[Question] = []

    def proposal(self) -> Proposal:
        for field, names in FIELD_NAMES.items():
            if (found := self._named(names)) is not None:
                self._take(field, found, "by its name")
        label = self._label()
        self._timestamp()
        self._amount()
        self._id()
        self._lookup("currency", "an ISO 4217 code such as EUR", _clean_currency)
        self._lookup("channel", "a channel such as pos or ecom", clean_channel)
        if "currency" not in self._reasons:
            self._missing.append(
                "no column names the currency: that of the settings counts, or add"
                " fields.currency: {constant: EUR}"
            )
        if not {"card_id", "customer_id"} & self._fields.keys():
            self._missing.append(
                "no column tells who pays: without card_id or customer_id few features count"
            )
        mapping = FileMapping(fields=self._fields, label=label)
        return Proposal(mapping, self._reasons, tuple(self._missing), tuple(self._questions))

    def _named(self, names: str) -> Profile | None:
        found = (self._known[name] for name in names.split() if name in self._known)
        return next((each for each in found if each.kind != "object"), None)

    def _take(self, field: str, column: Profile, why: str) -> None:
        self._fields[field] = FieldMapping(column=column.name)
        self._reasons[field] = f"column {column.name!r}, {why}"

    def _ask(self, path: tuple[str, ...], value: Any, reason: str) -> None:
        self._questions.append(Question(path, value, reason))

    def _left(self, *kinds: str) -> list[Profile]:
        """Columns of these kinds that no field takes yet."""
        used = {column for field in self._fields.values() for column in field.sources}
        return [each for each in self._profiles if each.kind in kinds and each.name not in used]

    def _of(self, field: str) -> Profile | None:
        column = self._fields[field].column if field in self._fields else None
        return next((each for each in self._profiles if each.name == column), None)

    def _one_of(self, field: str, what: str, found: list[Profile]) -> None:
        """The only column that can fill a field; else a question."""
        if len(found) == 1:
            self._take(field, found[0], f"the only one with {what}")
            return
        among = ", ".join(each.name for each in (found or self._profiles)[:_MOST_NAMED])
        several = "several columns may hold" if found else "no column is known to hold"
        self._ask(
            ("fields", field), FILL_IN, f"{several} {what}: name one of {among}; or {_OTHER[field]}"
        )

    def _timestamp(self) -> None:
        if all(part in self._known for part in TIME_PARTS):
            columns = tuple(self._known[part].name for part in TIME_PARTS)
            self._fields["timestamp"] = FieldMapping(columns=columns, order="ymd")
            self._reasons["timestamp"] = "four columns hold the parts of a time"
            self._missing.append(READ_AS_UTC)
            return
        named = self._of("timestamp")
        if named is not None and named.kind == "time of day":
            del self._fields["timestamp"], self._reasons["timestamp"]
        if "timestamp" not in self._fields:
            self._one_of("timestamp", "times", self._left("time", "date"))
        found = self._of("timestamp")
        if found is None:
            return
        if found.kind in ("integer", "number"):
            self._counter(found)
            return
        columns = (found.name,) if found.kind != "date" else self._with_time_of_day(found)
        self._date(found, columns)

    def _counter(self, found: Profile) -> None:
        most = float(found.most.replace(",", "") or 0)
        if most >= _EPOCH:
            return
        unit = "seconds" if most >= _SECONDS_FROM else "hours or days"
        counter = {"column": found.name, "counter": {"unit": FILL_IN, "start": FILL_IN}}
        del self._fields["timestamp"], self._reasons["timestamp"]
        self._ask(
            ("fields", "timestamp"),
            counter,
            f"{found.name!r} counts up to {found.most}, {unit} perhaps: of what unit (second, hour,"
            f" day ...), and since when (such as {_START})?",
        )

    def _with_time_of_day(self, found: Profile) -> tuple[str, ...]:
        others = self._left("time of day")
        if len(others) == 1:
            columns = (found.name, others[0].name)
            self._reasons["timestamp"] = f"{found.name!r} has the date, {others[0].name!r} the time"
            return columns
        self._ask(
            ("fields", "timestamp", "columns"),
            [found.name, FILL_IN],
            f"{found.name!r} holds dates alone: which column has the time of day?",
        )
        return ()

    def _date(self, found: Profile, columns: tuple[str, ...]) -> None:
        texts = texts_of(self._values(found.name))
        order, why = date_order(texts, self._now)
        if len(columns) == 2 and order is None and not why:
            order, why = "ymd", "years come first"
        short = has_short_years(texts)
        if short:
            pattern = "a pattern of strptime such as %d/%m/%y %H:%M"
            reason = f"{short!r} has a year of two digits: write {pattern}"
            self._ask(("fields", "timestamp", "format"), FILL_IN, reason)
        elif order is None and why:
            self._ask(("fields", "timestamp", "order"), FILL_IN, why)
        elif why:
            self._reasons["timestamp"] += f"; {why}"
        made = FieldMapping(
            column=columns[0] if len(columns) == 1 else None,
            columns=columns if len(columns) > 1 else (),
            order=None if short else order,
        )
        if columns:
            self._fields["timestamp"] = made
        if not columns:
            del self._fields["timestamp"]
        if without_offset(self._values(columns[-1] if columns else found.name)):
            self._missing.append(READ_AS_UTC)

    def _amount(self) -> None:
        if "amount" not in self._fields:
            self._one_of("amount", "amounts", self._left("number"))
        found = self._of("amount")
        if found is None:
            return
        decimal, why = decimal_of(texts_of(self._values(found.name)))
        if decimal is not None:
            self._fields["amount"] = FieldMapping(column=found.name, decimal=decimal)
            self._reasons["amount"] += f"; {why}"
        elif why:
            self._ask(("fields", "amount", "decimal"), FILL_IN, f"{why}: '.' or ','")

    def _id(self) -> None:
        named = self._of("transaction_id")
        if named is not None and named.unique:
            return
        unique = [each for each in self._left("text", "integer") if each.unique and not each.counts]
        enough = len(unique) == 1 and unique[0].rows >= _LEAST_ROWS
        if named is None and enough:
            self._take("transaction_id", unique[0], "the only one with another value in each row")
            return
        if named is not None:
            told = f"{named.name!r} has {named.distinct:,} values in {named.rows:,} rows"
        else:
            told = "no column is known as an id that each row has for itself"
        self._fields["transaction_id"] = FieldMapping(row=True)
        self._reasons["transaction_id"] = told
        self._missing.append("the file has no ids: they are made of each row's content and line")

    def _lookup(self, field: str, what: str, clean: Any) -> None:
        found = self._of(field)
        lookup = None if found is None else refused_by(self._values(found.name), clean)
        if found is None or lookup is None:
            return
        taken, refused = lookup
        values = {**{text: text for text in taken}, **dict.fromkeys(refused, FILL_IN)}
        self._ask(
            ("fields", field),
            {"column": found.name, "values": values},
            f"give each value {what}, or '' where it tells nothing",
        )
        del self._fields[field]

    def _label(self) -> LabelMapping | None:
        found = self._named(LABEL_NAMES)
        if found is None:
            left = self._left("text", "integer", "truth")
            few = [each.name for each in left if each.distinct == 2][:_MOST_NAMED]
            among = f", such as one of {', '.join(few)}" if few else ""
            self._missing.append(
                f"no column is known as a label of fraud{among}: add label, or leave it out"
            )
            return None
        for field in [name for name, each in self._fields.items() if each.column == found.name]:
            del self._fields[field], self._reasons[field]
        counted = label_counts(self._values(found.name))
        if not fit_for_lookup(counted):
            self._missing.append(f"column {found.name!r} has too many values for a label")
            return None
        self._reasons["label"] = f"column {found.name!r}, by its name"
        if unread_labels(counted):
            shown = ", ".join(
                f"{text or 'empty'} ({count:,} rows)" for text, count in counted.most_common()
            )
            self._ask(
                ("label",),
                {"column": found.name, "values": {text: FILL_IN for text in counted if text}},
                f"which value is fraud, which is genuine, and which is '' (not labelled)? {shown}",
            )
            return None
        fraud = sum(n for text, n in counted.items() if read_label(text))
        if 2 * fraud > counted.total() - counted[""]:
            self._missing.append(REVERSED)
        return LabelMapping(found.name)


def _clean_currency(value: object) -> None:
    if str(value).strip().upper() not in EXPONENTS:
        raise UncleanError("expected an ISO 4217 code")
