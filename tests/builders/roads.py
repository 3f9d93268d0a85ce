"""Payments in every form that people send, and each as JSON, as a line of CSV and as Parquet."""

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

Payload = dict[str, Any]

_DAY = datetime(2023, 9, 30, tzinfo=UTC)
# Each in forms that cleaning takes, and in some that it refuses.
_FORMS: dict[str, Sequence[Any]] = {
    "amount": (
        100, 0, 1e2, 12.5, 57.2, 57.160000000000004, 1.0000000000000002, 1234567890.1200001,
        9999999999.99, 9999999999.990001, "12.50", " 1,234.56 ", "1.234,56", "500.5", "1e2",
    ),
    "currency": (None, "", "USD", " eur ", "kwd", "NULL"),
    "card_id": (
        None, "", "card 7", "4111 1111 1111 1111", 4111111111111111, "5555-5555-5555-4444",
        "5555555555554444/12", 13926, 13926.0, "13926.0", "000000", "unknown", -1, -1.0, "-1",
        "-1.0", "'C101'",
    ),
    "customer_id": (None, "c-1", " c-1 ", 7, 7.0, "(null)", "N/A", 'Ünal, "Çelik"'),
    "merchant_id": (None, "m;1", 900000001, "test", "\\N", "x" * 200, "4111111111111111"),
    "mcc": (None, "5411", 5411, 5411.0, "5411.0", 742, "742", "0742", "742.0", -1, -1.0, "-1"),
    "device_id": (None, "dev-9f3", "00:00:00:00:00:00", "nan", "日本"),
    "ip": (None, "", "203.0.113.7", "::ffff:c000:201", "2001:DB8::1"),
    "country": (None, "DE", " deu ", "NA", "None"),
    "channel": (None, "pos", "Card-Present", "online"),
}  # fmt: skip
_REFUSED: dict[str, Sequence[Any]] = {
    "amount": (12.345, 0.01000001, -3.5, "-3.5", "(57.20)", "many", 10**13, 1e300, None),
    "currency": ("XXX", "978"),
    "card_id": (2.0**53, "4.11111E+15"),
    "customer_id": ("a\nb",),
    "merchant_id": ("m\t1", "x" * 201),
    "mcc": ("9x", 54110),
    "ip": ("1.2.3",),
    "country": ("Atlantis",),
    "channel": ("telepathy",),
    "lat": (91, 52.52),
    "timestamp": ("30/09/2023 10:16", 45443.5, 1.696114617e18, "yesterday", None),
}  # fmt: skip
_PLACES: Sequence[tuple[Any, Any]] = (
    (52.52, 13.405), ("52.52", " 13.405 "), (0, 0.0), (-0.0, 6), (1e-7, 179.99999999999997),
)  # fmt: skip
_TEXTS = ("x", "", " x ", "Grüße", "a,b", 'say "so"', "4111111111111111", "1.50", "007", "true")


def payload(rng: Random, key: str) -> Payload:
    """One payment, in one of four cases with a field that cleaning refuses. `key` is in its id."""
    found: Payload = {"transaction_id": _id(rng, key), "timestamp": _moment(rng)}
    for name, forms in _FORMS.items():
        if name == "amount" or rng.random() < 0.4:
            found[name] = rng.choice(forms)
    if rng.random() < 0.4:
        found["lat"], found["lon"] = rng.choice(_PLACES)
    if rng.random() < 0.25:
        name = rng.choice(list(_REFUSED))
        found[name] = rng.choice(_REFUSED[name])
    if rng.random() < 0.7:
        found["attributes"] = {
            rng.choice(("a", "b", "é", "n")): _value(rng, 3) for _ in range(rng.randint(0, 3))
        }
    # A column of CSV is text: what is given beside the fields is text here.
    for name in ("note", "Zip"):
        if rng.random() < 0.3:
            found[name] = rng.choice((None, *_TEXTS))
    return found


def payloads(count: int, seed: int) -> list[Payload]:
    rng = Random(seed)
    return [payload(rng, f"{seed}-{n}") for n in range(count)]


def as_json(sent: Payload) -> bytes:
    return json.dumps(sent, ensure_ascii=False).encode()


def write_lines(folder: Path, sent: Sequence[Payload]) -> Path:
    path = folder / "sent.ndjson"
    path.write_bytes(b"".join(as_json(each) + b"\n" for each in sent))
    return path


def write_table(folder: Path, sent: Sequence[Payload]) -> Path:
    """CSV: numbers as JSON writes them, attributes as the text of an object."""
    path = folder / "sent.csv"
    names = list(dict.fromkeys(name for each in sent for name in each))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in each.items()} for each in sent)
    return path


def write_parquet(folder: Path, sent: Sequence[Payload]) -> Path:
    """A folder of Parquet, a file for each choice of types: numbers are numbers, and attributes are
    structs where Arrow has a type for them all."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "sent-parquet"
    path.mkdir()
    tables: dict[Any, list[Any]] = defaultdict(list)
    names = dict.fromkeys(name for each in sent for name in each)
    for each in sent:
        row = {name: _for_arrow(name, each.get(name)) for name in names}
        table = pa.Table.from_pylist([row])
        tables[tuple(sorted((f.name, str(f.type)) for f in table.schema))].append(row)
    for number, rows in enumerate(tables.values()):
        parquet.write_table(pa.Table.from_pylist(rows), path / f"{number}.parquet")
    return path


def _id(rng: Random, key: str) -> Any:
    number = int(key.rpartition("-")[2]) + 1_000_000 * (1 + int(key.partition("-")[0]))
    return rng.choice((key, f" {key} ", f"ü/{key}", f"'q{key}'", number, float(number)))


def _moment(rng: Random) -> Any:
    seconds = int(_DAY.timestamp()) + rng.randrange(86_400)
    micros = rng.randrange(1_000_000)
    at = datetime.fromtimestamp(seconds, UTC)
    return rng.choice(
        (
            at.isoformat(),
            f"{at:%Y-%m-%d %H:%M:%S}.{micros:06d}",
            f"{at:%Y-%m-%dT%H:%M:%S}.{micros:06d}789z",
            f"{at:%Y/%m/%d %H:%M}",
            f"{at:%Y-%m-%dT%H:%M:%S} +0200",
            seconds,
            seconds + micros / 1e6,
            float(f"{seconds}.{rng.randrange(10**9):09d}"),
            f"{seconds}.{rng.randrange(10**9):09d}",
            seconds * 1000 + micros / 1000,
            seconds * 1_000_000 + micros,
            seconds * 10**9 + micros,
        )
    )


def _value(rng: Random, depth: int) -> Any:
    kinds = ("text", "integer", "number", "truth", "none", "list", "object")
    kind = rng.choice(kinds if depth else kinds[:5])
    if kind == "list":
        return [_value(rng, 0) for _ in range(rng.randint(0, 3))]
    if kind == "object":
        return {name: _value(rng, depth - 1) for name in rng.sample("pqr", rng.randint(1, 3))}
    return {
        "text": rng.choice(_TEXTS),
        "integer": rng.choice((0, 7, -5, 90001, 2**53 + 1, 2**63, 4111111111111111)),
        "number": rng.choice((1.5, 2.0, -0.0, 0.1 + 0.2, 1e-9, 1e20, 90001.0, 4111111111111111.0)),
        "truth": rng.random() < 0.5,
        "none": None,
    }[kind]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _for_arrow(name: str, value: Any) -> Any:
    """Attributes for which Arrow has no type are the text of an object."""
    import pyarrow as pa

    if name != "attributes" or value is None:
        return value
    try:
        return value if value and _same(pa.array([value]).to_pylist(), [value]) else _cell(value)
    except (pa.ArrowException, OverflowError):
        return _cell(value)


def _same(one: Any, other: Any) -> bool:
    """Equal, also where integers became floats, but not where truth values became numbers."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)
