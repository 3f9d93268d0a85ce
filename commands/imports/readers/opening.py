"""Choice of the reader of a file, by the file's content."""

from pathlib import Path

from commands.imports.readers.csv_rows import CsvRows
from commands.imports.readers.files import CountedFile
from commands.imports.readers.json_rows import JsonRows
from commands.imports.readers.parquet_rows import ParquetRows
from commands.imports.readers.rows import RowSource
from domain.errors import InvalidInputError

_PARQUET = b"PAR1"
_FORMATS = "expected CSV, NDJSON (gzip of either too) or Parquet"
_CSV_SUFFIXES = {".csv", ".tsv", ".txt"}


def open_rows(path: Path) -> RowSource:
    """Raises InvalidInputError saying what is wrong with the file as a whole."""
    if not path.exists():
        raise InvalidInputError("FILE", f"{path} does not exist")
    if not path.is_file():
        raise InvalidInputError("FILE", f"{path} is not a file: {_FORMATS}")
    try:
        file = CountedFile(path)
        head = file.head(4096)
    except (OSError, EOFError) as error:
        raise InvalidInputError("FILE", f"{path} cannot be read: {error}") from None
    if head.startswith(_PARQUET):
        file.close()
        return ParquetRows(path)
    try:
        return _text_rows(path, file, head)
    except BaseException:
        file.close()
        raise


def _text_rows(path: Path, file: CountedFile, head: bytes) -> RowSource:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise InvalidInputError("FILE", f"{path} is empty")
    if start.startswith(b"{"):
        return JsonRows(file)
    if start.startswith(b"["):
        raise InvalidInputError("FILE", f"{path} is a JSON array: write one object on each line")
    named_csv = _CSV_SUFFIXES & {suffix.lower() for suffix in path.suffixes}
    utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not named_csv and not utf16 and b"\0" in head:
        raise InvalidInputError("FILE", f"{path} has an unknown format: {_FORMATS}")
    rows = CsvRows(file)
    if len(rows.columns) == 1 and not named_csv:
        raise InvalidInputError("FILE", f"{path} has an unknown format: {_FORMATS}")
    return rows
