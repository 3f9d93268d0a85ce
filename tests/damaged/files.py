"""Damaged files made from a seed, with the lines that each holds."""

import bz2
import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

NAMES = ("id", "time", "amount", "shop", "note")
_WORDS = (
    "Café Zürich", "Smith; Sons", "A, B & C", 'the "Bell"', "O'Neil", "plain", "", "x|y", "naïve",
)  # fmt: skip
_ENDS = ("\n", "\r\n", "\r")
_ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")


@dataclass(frozen=True)
class Line:
    """`row` is what it must be read as; None where it is damaged."""

    text: str
    row: dict[str, object] | None


@dataclass(frozen=True)
class Made:
    """`lines` are those of the file by number; `cut` says that the packed content is not whole."""

    content: bytes
    encoding: str
    lines: dict[int, Line]
    cut: bool
    what: str


def made(seed: int) -> Made:
    draw = random.Random(seed)
    style = draw.choice(("csv", "csv", "csv", "quoted", "ndjson"))
    delimiter = draw.choice(",;\t|")
    rows = [_row(draw, at) for at in range(draw.randint(3, 60))]
    encoding = "utf-8" if style == "ndjson" else draw.choice(_ENCODINGS)
    texts = [_written(row, style, delimiter) for row in rows]
    lines = [Line(text, row) for text, row in zip(texts, rows, strict=True)]
    for _ in range(draw.randint(0, 5)):
        at = draw.randrange(len(lines))
        lines[at : at + 1] = _damaged(draw, lines[at], delimiter, encoding)
    if style != "ndjson":
        lines.insert(0, Line(_written(dict(zip(NAMES, NAMES, strict=True)), style, delimiter), {}))
    mixed = draw.random() < 0.5
    end = draw.choice(_ENDS)
    # After a line that ends in CR, an empty one that ends in LF alone would be part of the end.
    ends = [draw.choice(_ENDS if each.text else ("\r\n",)) if mixed else end for each in lines]
    text = "".join(each.text + its_end for each, its_end in zip(lines, ends, strict=True))
    if draw.random() < 0.2:
        text = text.rstrip("\r\n")
    numbered = {
        number: each
        for number, each in enumerate(lines, 1)
        if each.text.strip() or (delimiter in each.text and style != "ndjson")
    }
    if style != "ndjson":
        numbered.pop(1)
    content = text.encode(encoding, "surrogateescape")
    packing = draw.choice(tuple(_PACKINGS))
    packed = _PACKINGS[packing](content)
    cut = packing not in ("", "zip") and draw.random() < 0.4
    if cut:
        packed = packed[: draw.randint(len(packed) // 3, len(packed) - 1)]
    what = f"seed {seed}: {style} with {delimiter!r}, {encoding}, {packing or 'plain'}"
    return Made(packed, encoding, numbered, cut, what + (", cut" if cut else ""))


def _row(draw: random.Random, at: int) -> dict[str, object]:
    return {
        "id": str(1000 + at),
        "time": f"2024-01-{draw.randint(1, 28):02d} 10:00:00",
        "amount": f"{draw.randint(1, 9999)}.{draw.randint(0, 99):02d}",
        "shop": draw.choice(_WORDS) or None,
        "note": draw.choice(_WORDS) or None,
    }


def _written(row: dict[str, object], style: str, delimiter: str) -> str:
    if style == "ndjson":
        return json.dumps(row, ensure_ascii=False)
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=delimiter,
        quoting=csv.QUOTE_ALL if style == "quoted" else csv.QUOTE_MINIMAL,
        lineterminator="",
    )
    writer.writerow(row.values())
    return text.getvalue()


def _damaged(draw: random.Random, line: Line, delimiter: str, encoding: str) -> list[Line]:
    """The line with one more fault; its values may then still be readable, in one way or other."""
    text = line.text
    at = draw.randint(0, len(text))
    kind = draw.choice(
        ("open", "open", "quote", "unquote", "cut", "break", "blank", "more", "byte")
    )
    if kind == "open":
        # A quote at the start of a value: the kind that swallows what follows.
        starts = [i + 1 for i, char in enumerate(text) if char == delimiter] or [0]
        at = draw.choice(starts)
        return [Line(text[:at] + '"' + text[at:], None)]
    if kind == "quote":
        return [Line(text[:at] + '"' + text[at:], None)]
    if kind == "unquote":
        return [Line(text.replace('"', "", 1), None if '"' in text else line.row)]
    # A break between two quotes is part of the value.
    if kind == "cut" or (kind == "break" and (line.row is None or text[:at].count('"') % 2)):
        return [Line(text[:at], None)]
    if kind == "break":
        return [Line(text[:at], None), Line(text[at:], None)]
    if kind == "blank":
        return [Line("", None), line]
    if kind == "more":
        return [Line(text + delimiter + "x", None)]
    if encoding.startswith("utf-8"):
        return [Line(text[:at] + "\udcff" + text[at:], None)]
    return [Line(text[:at] + "\x00" + text[at:], None)]


def _zstd(content: bytes) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _zip(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.txt", content)
    return archive.getvalue()


_PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zstd": _zstd,
    "bzip2": bz2.compress,
    "zip": _zip,
}
