"""Batches of made columns: most of them clean, up to three with dirt of every kind."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from commands.imports.mapping.model import FieldMapping, FileMapping, LabelMapping
from commands.imports.readers.column_batch import ColumnBatch, TextBatch, to_plain
from commands.imports.readers.rows import Batch, MalformedRow, RowBatch

CARD = "4111 1111 1111 1111"
AT = datetime(2024, 1, 5, 10, 0, 1)  # noqa: DTZ001
_ZONE = timezone(timedelta(hours=2))
_IDS: tuple[list[Any], ...] = (
    [f"c{n}" for n in range(6)]
    + [" c1 ", "", "  ", "-1", "NULL", "unknown", "000000", "0", CARD, CARD.replace(" ", ""), "'q'"]
    + [
        "4.1E+15",
        "4.1E15",
        "4,1e15",
        f"{CARD}/12",
        "13926.0",
        "a\tb",
        "a\u00a0b",
        "x" * 201,
        "é",
        "card 7",
        "7",
        "\x00",
        "4 111",
    ],
    [0, 1, 2, 7, 17, -1, -5, 10**11, 4111111111111111, 10**18 + 3, 123456789012],
    [1.0, 7.0, 2.5, math.nan, 2.0**53, -0.0, 4111111111111111.0, math.inf],
    [True, False],
    [b"c1", b"\xff\xfe", b" c2"],
)
_TIMES: tuple[list[Any], ...] = (
    [AT, AT + timedelta(days=2), datetime(1980, 1, 1), datetime(2031, 1, 1)],  # noqa: DTZ001
    [AT.replace(tzinfo=UTC), AT.replace(tzinfo=UTC) + timedelta(hours=1)],
    [AT.replace(tzinfo=_ZONE), AT.replace(tzinfo=_ZONE) - timedelta(microseconds=5)],
    [
        "2024-01-05T10:00:01Z",
        "2024-01-05 10:00:01",
        "2024-01-05T10:00:01+02:00",
        "2024-01-05",
        "",
        " 2024-01-05 10:00:01",
        "2024/01/05 10:00",
        "1704448801",
        "never",
        "2024-01-05 10:00:01z",
    ],
    [1704448801, 1704448801000, 1704448801000000, 5, -1, 2**62],
    [1704448801.5, 3.0, math.nan],
)
_AMOUNTS: tuple[list[Any], ...] = (
    [0.0, 12.5, 57.160000000000004, 1.005, -3.0, 1e13, math.nan, math.inf, 7.0],
    [0, 12, -4, 10**13],
    ["12.50", "12,50", "1,234.56", "1.000", "$5", "€ 5", "5 EUR", " 7", "", "x", "-2", ".5", "5e3"],
    [Decimal("12.50"), Decimal("-1.00"), Decimal("0.01")],
)
_CODES: tuple[list[Any], ...] = (
    ["USD", "eur", "EUR", "", "JPY", "XXX", "-1", "N/A", " USD", "KWD"],
    ["EUR"],
    [1, 2],
)
_PLACES: tuple[list[Any], ...] = (
    [0.0, 12.5, -90.0, 91.0, math.nan, -0.0],
    ["12.5", "0", " 1", "1,5", "", "x"],
    [0, 45, 200],
)
_DIRT: dict[str, tuple[list[Any], ...]] = {
    "transaction_id": _IDS,
    "timestamp": _TIMES,
    "amount": _AMOUNTS,
    "card_id": _IDS,
    "mcc": (["5411", "0742", "54", " 5411", ""], [742, 5411, 99999], [5411.0, math.nan]),
    "country": (["DE", "DEU", "de", "ZZ", "-1", ""], [1]),
    "channel": (["ecom", "online", "nfc", "-1", ""], [3]),
    "ip": (["10.0.0.1", "::ffff:1.2.3.4", "fe80::1%1", "x", ""], [1]),
    "device_id": _IDS,
    "customer_id": _IDS,
    "merchant_id": _IDS,
    "lat": _PLACES,
    "lon": _PLACES,
    "currency": _CODES,
    "note": (["a", "", CARD], [1, 4111111111111111], [1.5, math.nan], [{"k": CARD}], [[1], []]),
    "_dropped": (["x"], [{"card_id": "x"}]),
    "attributes": (
        ['{"a":1}', '{"a":1,"a":2}', "", " ", "[1]", '{"_dropped":{}}', f'{{"k":"{CARD}"}}', "x"],
        [{"a": 1}, {"note": CARD}, {"_dropped": "x"}],
        [1],
    ),
    "fraud": (
        *([0, 1, 2], ["0", "1", "fraud", "", "?"], [True, False], [0.0, 1.0, math.nan, 0.5]),
        [[1], []],
    ),
}
_OPTIONAL = sorted(_DIRT.keys() - {"transaction_id", "timestamp", "amount", "fraud"})
_ID: tuple[list[Any], ...] = (["c1", "c2", "card 7"], [1, 2, 7], [1.0, 7.0])
_CLEAN: dict[str, tuple[list[Any], ...]] = {
    "transaction_id": (
        [f"t{n}" for n in range(90)],
        list(range(90)),
        list(range(10**12, 10**12 + 90)),
    ),
    "timestamp": (
        *([AT, AT + timedelta(days=2)], _TIMES[1], _TIMES[2], _TIMES[3][:2]),
        [f"{day}T10:00:01.250" for day in ("2024-01-05", "2024-02-29", "1980-01-01", "2031-01-01")],
    ),
    "amount": ([12.5, 0.0, 7.0], [0, 12], ["12.50", "7"], [Decimal("12.50")]),
    "card_id": _ID,
    "mcc": (["5411", "0742"], [742]),
    "country": (["DE", "FR"],),
    "channel": (["ecom"],),
    "ip": (["10.0.0.1"],),
    "device_id": _ID,
    "customer_id": _ID,
    "merchant_id": _ID,
    "lat": ([12.5, -90.0], ["12.5"]),
    "lon": ([12.5, -90.0], [45]),
    "currency": (["USD", "EUR", "JPY"],),
    "note": (["a", "b"], [1, 4111111111111111], [1.5, math.nan]),
    "_dropped": (["x"],),
    "attributes": (['{"a":1}', '{"note":[1.5,null]}'], [{"a": 1}]),
    "fraud": ([0, 1], ["0", "fraud", ""], [True, False]),
}


class Made:
    """A source of the batches given."""

    kind = part = "made"

    def __init__(self, columns: Sequence[str], batches: list[Batch]) -> None:
        self.columns, self._batches = tuple(columns), batches

    def batches(self) -> Iterator[Batch]:
        yield from self._batches

    def fraction(self) -> float:
        return 1.0

    def close(self) -> None:
        pass


@st.composite
def sources(draw: st.DrawFn) -> Made:
    names = ["transaction_id", "timestamp", "amount"]
    names += draw(st.lists(st.sampled_from(_OPTIONAL), max_size=5, unique=True))
    dirty = draw(st.sets(st.sampled_from([*names, "fraud"]), max_size=3))
    values = {
        name: draw(st.sampled_from((_DIRT if name in dirty else _CLEAN)[name]))
        for name in (*names, "fraud")
    }
    batch = draw(st.sampled_from([_arrow, _rows, _text]))
    if batch is _rows and draw(st.booleans()):  # JSON: kinds beside each other
        values |= {name: [each for pool in _DIRT[name] for each in pool] for name in dirty}
    batches: list[Batch] = []
    first = 1
    for _ in range(draw(st.integers(1, 2))):
        size = draw(st.integers(1, 8))
        columns = {}
        for name, pool in values.items():
            value = st.sampled_from([*pool, None] if name in dirty else pool)
            columns[name] = draw(st.lists(value, min_size=size, max_size=size))
        batches.append(batch(first, columns, draw))
        first += size
    return Made(list(values), batches)


def _arrow(first: int, columns: dict[str, list[Any]], draw: st.DrawFn) -> Batch:
    arrays = [pa.array(values) for values in columns.values()]
    for at, array in enumerate(arrays):
        if pa.types.is_timestamp(array.type):
            unit = draw(st.sampled_from(["s", "ms", "us", "ns"]))
            arrays[at] = array.cast(pa.timestamp(unit, tz=array.type.tz), safe=False)
        elif pa.types.is_string(array.type) and draw(st.booleans()):
            arrays[at] = array.dictionary_encode()
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    return ColumnBatch(first, batch, list(columns), [to_plain(each.type) for each in arrays])


def _text(first: int, columns: dict[str, list[Any]], _draw: st.DrawFn) -> Batch:
    rows = list(zip(*columns.values(), strict=True))
    values = ["" if value is None else str(value) for row in rows for value in row]
    return TextBatch(range(first, first + len(rows)), list(columns), values)


def _rows(first: int, columns: dict[str, list[Any]], draw: st.DrawFn) -> Batch:
    made = RowBatch()
    for line, row in enumerate(zip(*columns.values(), strict=True), first):
        if draw(st.integers(0, 9)) == 9:
            made.append((line, MalformedRow("is broken", "what was there")))
        else:
            kept = {
                name: value
                for name, value in zip(columns, row, strict=True)
                if not isinstance(value, bytes) and value == value
            }
            made.append((line, kept))
    return made


@st.composite
def mappings(draw: st.DrawFn) -> FileMapping:
    amount = FieldMapping(
        column="amount", decimal=draw(st.sampled_from([None, ".", ","])), round=draw(st.booleans())
    )
    return FileMapping(
        fields={"amount": amount},
        label=draw(st.sampled_from([None, LabelMapping("fraud")])),
        missing=draw(st.sampled_from([None, ("7", "c1")])),
        placeholders=draw(st.sampled_from([None, ("7", "c2")])),
    )
