"""Kinds of files: read by content, or named in one line."""

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands.imports.readers.files.parts import as_file
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, Row
from domain.errors import InvalidInputError

ROWS: list[dict[str, Any]] = [{"id": f"t{n}", "amount": f"{n}.5"} for n in range(3000)]
CSV = ("id,amount\n" + "".join(f"{row['id']},{row['amount']}\n" for row in ROWS)).encode()


def read(path: Path, encoding: str | None = None) -> list[Row]:
    source = open_rows(path, encoding)
    found = [row for batch in source.batches() for _, row in batch]
    source.close()
    return found


def zipped(members: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return archive.getvalue()


def arrow(kind: str) -> bytes:
    import pyarrow as pa
    from pyarrow import feather

    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(ROWS)
    if kind == "feather":
        feather.write_feather(table, sink, compression="zstd")
    else:
        open_sink = {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}[kind]
        with open_sink(sink, table.schema) as writer:
            writer.write_table(table)
    made: bytes = sink.getvalue().to_pybytes()
    return made


def packed(codec: str, content: bytes = CSV) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(content)
    made: bytes = sink.getvalue().to_pybytes()
    return made


def json_array(**style: Any) -> bytes:
    return json.dumps(ROWS, **style).encode()


GOOD = {
    "gzip": gzip.compress(CSV),
    "two gzips": gzip.compress(CSV[:5000]) + gzip.compress(CSV[5000:]),
    "bzip2": bz2.compress(CSV),
    "xz": lzma.compress(CSV),
    "zstd": packed("zstd"),
    "lz4": packed("lz4"),
    "zip": zipped({"__MACOSX/x": b"x", "a.csv": CSV}),
    "gzip in zip": zipped({"a.csv.gz": gzip.compress(CSV)}),
    "feather": arrow("feather"),
    "arrow file": arrow("file"),
    "arrow stream": arrow("stream"),
    "packed arrow": gzip.compress(arrow("file")),
    "array": json_array(),
    "indented array": json_array(indent=2),
    "packed array": bz2.compress(json_array()),
    "objects over lines": "\n".join(json.dumps(row, indent=1) for row in ROWS).encode(),
    "ndjson with CR": "\r".join(json.dumps(row) for row in ROWS).encode(),
    "carets": CSV.replace(b",", b"^"),
    "control-A": CSV.replace(b",", b"\x01"),
    "stated by Excel": b"sep=;\n" + CSV.replace(b",", b";"),
    "UTF-16 without mark": CSV.decode().encode("utf-16-le"),
    "UTF-16, high byte first": b"\xfe\xff" + CSV.decode().encode("utf-16-be"),
    "UTF-32": CSV.decode().encode("utf-32"),
    "objects in a line": "".join(map(json.dumps, ROWS)).encode(),
    "objects and commas": ",\n".join(map(json.dumps, ROWS)).encode(),
    "two arrays": f"{json.dumps(ROWS[:9])}\n{json.dumps(ROWS[9:])}".encode(),
    "apostrophes": b"id,amount\n" + "".join(f"'{r['id']}',{r['amount']}\n" for r in ROWS).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_is_read_by_its_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(GOOD[kind])
    assert read(path) == ROWS


SHEET = {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}
NAMED = {
    "xlsx": (zipped(SHEET), r"an Excel spreadsheet \(xlsx\): save it as CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"spreadsheet \(xls\)"),
    "ods": (
        zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
        r"spreadsheet \(ods\)",
    ),
    "pdf": (b"%PDF-1.7\n", "a PDF document"),
    "tar": (bytes(257) + b"ustar\x0000" + bytes(300), "a tar archive"),
    "packed tar": (gzip.compress(b"a" * 257 + b"ustar\x0000" + bytes(300)), "a tar archive"),
    "html": (b"<!DOCTYPE html><html>", "an HTML page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "cut zip": (zipped({"a.csv": CSV})[:-40], "a zip archive that is cut off"),
    "empty zip": (zipped({}), "a zip archive without data"),
    "sheet in zip": (zipped({"b.xlsx": zipped(SHEET)}), "a zip archive inside another"),
    "cut arrow": (arrow("file")[:-50], "is an Arrow file that is cut off"),
    "cut parquet": (gzip.compress(b"PAR1" + bytes(100)), "is Parquet that is cut off"),
    "title above": (
        b"Payments of March\n\nid,amount\n1,2\n",
        "may be line 3: take out the lines above",
    ),
    "noise": (bytes(range(256)) * 8, "unknown format"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_what_cannot_be_read_is_named_in_one_clean_line(tmp_path: Path, kind: str) -> None:
    content, said = NAMED[kind]
    path = tmp_path / "payments.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=said) as error:
        read(path)
    assert str(error.value).isprintable()


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": CSV}))
    for header in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[header] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="encrypted zip archive"):
        read(path)


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd", "lz4"])
def test_o22_a_cut_archive_gives_the_rows_before_and_is_told(tmp_path: Path, packing: str) -> None:
    draw = random.Random(1)
    rows = [{"id": f"t{n}", "amount": str(draw.random())} for n in range(60_000)]
    text = "id,amount\n" + "".join(f"{row['id']},{row['amount']}\n" for row in rows)
    modules: dict[str, Any] = {"gzip": gzip, "bzip2": bz2, "xz": lzma}
    module = modules.get(packing)
    content = module.compress(text.encode()) if module else packed(packing, text.encode())
    path = tmp_path / "a.csv"
    path.write_bytes(content[: len(content) * 4 // 5])
    source = open_rows(path)
    found: list[Row] = []
    with pytest.raises(InvalidInputError, match=r"cut off after [\d,]+ rows"):
        found.extend(row for batch in source.batches() for _, row in batch)
    source.close()
    taken = [row for row in found if isinstance(row, dict)]
    assert taken == rows[: len(taken)]
    assert 10_000 < len(taken) < len(rows)
    assert len(found) - len(taken) <= 1


def test_a_folder_and_a_pattern_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    for at, name in enumerate(("b/2.csv", "a.csv.gz", "b/1.csv")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        content = f"id,amount\nt{at},1\n".encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    (tmp_path / "_SUCCESS").write_text("x")
    (tmp_path / "a.csv.rejects.ndjson").write_text("{}")
    assert [row["id"] for row in read(tmp_path) if isinstance(row, dict)] == ["t1", "t2", "t0"]
    found = read(tmp_path / "b" / "*.csv")
    assert [row["id"] for row in found if isinstance(row, dict)] == ["t2", "t0"]
    source = open_rows(tmp_path)
    parts = [source.part for _ in source.batches()]
    assert parts == [f"{tmp_path.name}/{name}" for name in ("a.csv.gz", "b/1.csv", "b/2.csv")]


def test_files_with_other_columns_are_not_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,card\n1,2\n")
    (tmp_path / "b.csv").write_text("id,cards\n1,2\n")
    with pytest.raises(InvalidInputError, match=r"b\.csv has other columns .* it lacks card"):
        open_rows(tmp_path)


def test_what_stdin_gives_is_a_file(tmp_path: Path) -> None:
    with as_file(Path("-"), io.BytesIO(gzip.compress(CSV))) as path:
        assert (path.name, read(path)) == ("stdin", ROWS)
    assert not path.exists()


def test_an_encoding_is_stated_and_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,shop\n1,Café\n2,Bar\n".encode("cp1252"))
    first, second = read(path)
    assert isinstance(first, MalformedRow)
    assert second == {"id": "2", "shop": "Bar"}
    assert read(path, "cp1252")[0] == {"id": "1", "shop": "Café"}
    with pytest.raises(InvalidInputError, match="--encoding: 'klingon' is no encoding"):
        open_rows(path, "klingon")
    path.write_bytes("id,café\n1,2\n".encode("cp1252"))
    with pytest.raises(InvalidInputError, match=r"header of a\.csv holds bytes that are not UTF-8"):
        open_rows(path)


def test_repeated_and_missing_names_can_be_addressed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",Account,Account,Account.1\n1,a,b,c\n")
    assert read(path) == [{"column_1": "1", "Account": "a", "Account.2": "b", "Account.1": "c"}]


def test_a_file_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("230425980,1,-0.17,x\n5530458,1,0.42,y\n")
    found = read(path)
    assert found[0] == {
        "column_1": "230425980",
        "column_2": "1",
        "column_3": "-0.17",
        "column_4": "x",
    }
    assert len(found) == 2


@pytest.mark.parametrize("line", ['{"id": 1, "id": 2}', '{"id": {"a": 1, "a" : 2}, "x": "y\\": "}'])
def test_equal_names_in_one_object_are_refused_by_name(tmp_path: Path, line: str) -> None:
    for text in (line + '\n{"id": 3}\n', f"[{line}, " + '{"id": 3}]'):
        path = tmp_path / "a.json"
        path.write_text(text)
        first, second = read(path)
        assert isinstance(first, MalformedRow)
        assert first.reason in ("names 'id' twice", "names 'a' twice")
        assert second == {"id": 3}


@pytest.mark.parametrize("cut", ["", ",", ', {"id": 2'])
def test_an_array_that_does_not_end_is_cut_off(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": 0}, {"id": 1}' + cut)
    found: list[Row] = []
    with closing(open_rows(path)) as rows:
        batches = (row for batch in rows.batches() for _, row in batch)
        with pytest.raises(InvalidInputError, match="array that is cut off"):
            found.extend(batches)
    assert found[:2] == [{"id": 0}, {"id": 1}]
    assert len(found) == (3 if "{" in cut else 2)


def test_a_broken_object_of_an_array_costs_itself_alone(tmp_path: Path) -> None:
    good = [json.dumps({"id": n, "note": "x"}) for n in range(9000)]
    good[5] = good[5].replace('"x"', '"x')
    path = tmp_path / "a.json"
    path.write_text("[" + ",\n".join(good) + "]")
    found = read(path)
    assert len(found) == 9000
    assert [at for at, row in enumerate(found) if isinstance(row, MalformedRow)] == [5]
