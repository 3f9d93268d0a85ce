"""Rows that are plainly clean, cleaned column by column: several times as fast as row by row.

Each value goes through the function that cleans it in a row, and goes through it once if it comes
again. A row with anything more to it (a value that is refused, changed, left out, or a card number)
is left to `clean_transaction`, which alone knows the rules.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

from commands.imports.columns.cleaned_values import FAILED, REMEMBERED, CleanedValues, Left
from commands.imports.mapping.binding import Binding
from commands.imports.readers.rows import Batch
from commands.imports.summary import Notes
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.absent import DROPPED, AbsentWords
from domain.cleaning.attributes import clean_attributes, given_attributes
from domain.cleaning.cards import Tokenise, card_number, tokenise_id
from domain.cleaning.changes import READ_AS_UTC, is_changed, is_naive
from domain.cleaning.fields import LONGEST_ID, clean_id
from domain.cleaning.moments import EARLIEST, TOLERANCE, clean_moment
from domain.cleaning.transaction import CLEANERS, ENTITY_IDS
from domain.errors import InvalidInputError
from domain.money import AmountStyle, to_minor
from domain.records import records_of
from domain.transactions import Transaction

_LONG = 10**18  # of what is longer, not all are ids
_OPTIONAL = (
    "card_id", "card_bin", "card_last4", "customer_id", "merchant_id", "mcc", "device_id", "ip",
    "country", "lat", "lon", "channel",
)  # fmt: skip
_Columns = dict[str, Sequence[Any]]


class _NotPlainError(ValueError):
    """Not a fault: the row is left to the cleaning of whole rows."""


class PlainRows(NamedTuple):
    """Of each row its transaction with the digest of it, None where it is left; its label; what is
    told of it. `left` are the rows that are left, in their order."""

    transactions: Sequence[Any]
    digests: Sequence[str]
    labels: Sequence[int | None]
    notes: Sequence[Notes]
    left: Sequence[int]


class PlainColumns:
    """For a mapping whose fields `are_plain`."""

    def __init__(self, binding: Binding, cleaner: PayloadCleaner, words: AbsentWords) -> None:
        self._columns, self._used, self._cleaner = dict(binding.plain), binding.used, cleaner
        self._words, self._others = words, binding.others
        self._values = {
            name: CleanedValues(
                _plainly(name, words, cleaner.tokenise), remember=name != "transaction_id"
            )
            for name in CLEANERS
            if name in self._columns
        }
        self._minor_of = lru_cache(maxsize=REMEMBERED)(to_minor)
        self._amounts: dict[AmountStyle, CleanedValues] = {}
        self._label = binding.label
        self._labels = None if binding.label is None else CleanedValues(binding.label)

    def rows(self, batch: Batch, now: int, style: AmountStyle) -> PlainRows:
        """`now` in microseconds; `style` is how amounts are written, as far as it is known."""
        left: Left = set()
        fields: _Columns = {
            "transaction_id": self._keys(batch.column(self._columns["transaction_id"]), left)
        }
        for name, values in self._values.items():
            if name not in fields:
                fields[name] = values.of(batch.column(self._columns[name]), left)
        fields["timestamp"], notes = self._moments(batch, now, left)
        self._add_money(fields, batch.column(self._columns["amount"]), style, left)
        _check_positions(fields, left)
        self._add_attributes(fields, batch, left)
        labels: Sequence[int | None] = [None] * len(batch)
        if self._label is not None and self._labels is not None:
            labels = self._labels.of(batch.column(self._label.column), left)
        if left:
            for name, empty in (("attributes", {}), ("timestamp", 0)):
                if name in fields:
                    fields[name] = [
                        empty if at in left else each for at, each in enumerate(fields[name])
                    ]
        transactions: list[Any] = _transactions(fields)
        for at in left:
            transactions[at] = None
        return PlainRows(transactions, self._cleaner.digests(fields), labels, notes, sorted(left))

    def _keys(self, given: Sequence[Any], left: Left) -> Sequence[str | None]:
        if set(map(type, given)) == {int} and -_LONG < min(given) <= max(given) < _LONG:
            keys = list(map(str, given))
            if self._words.missing.isdisjoint(keys):
                return keys
        elif set(map(type, given)) == {str} and self._are_ids(given):
            return given
        found = self._values["transaction_id"].of(given, left)
        left.update(at for at, key in enumerate(found) if not key)
        return found

    def _are_ids(self, given: Sequence[str]) -> bool:
        """Whether each is an id as it is, letters and digits alone."""
        plain = all(map(str.isalnum, given)) and max(map(len, given)) <= LONGEST_ID
        return plain and self._words.missing.isdisjoint(given)

    def _moments(
        self, batch: Batch, now: int, left: Left
    ) -> tuple[Sequence[int | None], Sequence[Notes]]:
        name = self._columns["timestamp"]
        times = batch.times(name)
        if times is not None:
            moments, naive = times
            most = now + TOLERANCE
            # The least and the greatest tell it of all, in a tenth of the time.
            if not all(_is_within(each, most) for each in _ends(moments)):
                left.update(at for at, each in enumerate(moments) if not _is_within(each, most))
            return moments, [READ_AS_UTC if naive else ()] * len(batch)
        found = batch.column(name)
        values = CleanedValues(lambda given: _plain_moment(given, now), remember=False)
        return values.of(found, left), [READ_AS_UTC if is_naive(each) else () for each in found]

    def _add_money(
        self, fields: _Columns, given: list[Any], style: AmountStyle, left: Left
    ) -> None:
        default, rates = self._cleaner.default_currency, self._cleaner.rates
        if "currency" in fields or default != rates.base:
            self._add_money_of_currencies(fields, given, style, left)
            return

        def minor_of(value: Any) -> int:
            if value is None or is_changed("amount", value, None):
                raise _NotPlainError
            try:
                return to_minor(value, default, "amount", style)
            except InvalidInputError:
                raise _NotPlainError from None

        amounts = self._amounts.setdefault(style, CleanedValues(minor_of))
        fields["currency"] = [default] * len(given)
        fields["amount"] = fields["base_amount"] = amounts.of(given, left)

    def _add_money_of_currencies(
        self, fields: _Columns, given: list[Any], style: AmountStyle, left: Left
    ) -> None:
        default, rates = self._cleaner.default_currency, self._cleaner.rates
        currencies = fields["currency"] = [
            each or default for each in fields.get("currency", repeat(None, len(given)))
        ]
        amounts, base = [0] * len(given), [0] * len(given)
        rows = zip(given, currencies, fields["timestamp"], strict=True)
        for at, (value, currency, moment) in enumerate(rows):
            if at in left or is_changed("amount", value, None):
                left.add(at)
                continue
            try:
                # Text is slower to read than to remember, numbers are not.
                minor_of = self._minor_of if type(value) is str else to_minor
                amounts[at] = minor = minor_of(value, currency, "amount", style)
                base[at] = rates.to_base(minor, currency, moment)
            except InvalidInputError:
                left.add(at)
        fields["amount"], fields["base_amount"] = amounts, base

    def _add_attributes(self, fields: _Columns, batch: Batch, left: Left) -> None:
        others = batch.others(self._used) if self._others else None
        column = self._columns.get("attributes")
        given: Sequence[Any] | None = others
        if column is not None:
            given = batch.column(column)
            if others is not None:
                given = [_sole(*each) for each in zip(given, others, strict=True)]
        if given is not None:
            tokenise = self._cleaner.tokenise
            values = CleanedValues(lambda each: _plain_attributes(each, tokenise), remember=False)
            fields["attributes"] = values.of(given, left)


def are_plain(binding: Binding) -> bool:
    """Whether all fields are columns as they are, and no amount is rounded."""
    return not (binding.made or binding.quotes or binding.style.rounding)


def _transactions(fields: _Columns) -> list[Any]:
    size = len(fields["transaction_id"])
    empty: Iterable[Any] = ({} for _ in range(size)) if "attributes" not in fields else ()
    none = dict.fromkeys(_OPTIONAL, repeat(None))
    return records_of(Transaction, **{"attributes": empty, **none, **fields})


def _plainly(name: str, words: AbsentWords, tokenise: Tokenise) -> Callable[[Any], Any]:
    clean, is_entity = CLEANERS[name], name in ENTITY_IDS

    def holds_card(text: str) -> bool:
        return card_number(text) is not None or tokenise_id(text, tokenise) != text

    def value(given: Any) -> Any:
        cleaned = None if given is None else clean(given)
        if is_changed(name, given, cleaned):
            raise _NotPlainError
        if clean is clean_id and cleaned is not None:
            if words.is_missing(cleaned):
                raise _NotPlainError
            if is_entity and (words.is_placeholder(cleaned) or holds_card(cleaned)):
                raise _NotPlainError
        return cleaned

    return value


def _plain_moment(given: Any, now: int) -> int:
    moment = None if given is None else clean_moment(given, now)
    if moment is None or is_changed("timestamp", given, moment):
        raise _NotPlainError
    return moment


def _is_within(moment: int | None, most: int) -> bool:
    return moment is not None and EARLIEST <= moment <= most


def _ends(moments: Sequence[int | None]) -> tuple[int | None, ...]:
    given = [each for each in moments if each is not None]
    return (min(given), max(given)) if len(given) == len(moments) and given else (None,)


def _check_positions(fields: _Columns, left: Left) -> None:
    none = repeat(None)
    if "lat" in fields or "lon" in fields:
        both = zip(fields.get("lat", none), fields.get("lon", none), strict=False)
        left.update(
            at for at, (a, b) in enumerate(both) if (a is None) != (b is None) or a == b == 0.0
        )


def _sole(attributes: Any, others: dict[str, Any]) -> Any:
    """The attributes of a row, where they are either in their column or in columns of their own."""
    if attributes is None:
        return others
    return FAILED if others else attributes


def _plain_attributes(given: Any, tokenise: Tokenise) -> dict[str, Any]:
    if given is None:
        return {}
    if given is FAILED:
        raise _NotPlainError
    members = given_attributes(given)
    if DROPPED in members:
        raise _NotPlainError
    return clean_attributes(members, tokenise)
