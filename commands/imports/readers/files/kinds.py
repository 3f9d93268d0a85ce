"""Formats that are no table of rows, told by their first bytes."""

from collections.abc import Sequence

_AS_CSV = "save it as CSV"
_UNPACK = "unpack it first"
_CONVERT = "write it as Parquet or CSV"
_SIGNATURES: Sequence[tuple[int, bytes, str, str]] = (
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel spreadsheet (xls) or other Office file",
     _AS_CSV),
    (0, b"%PDF", "a PDF document", "ask for the data as CSV"),
    (0, b"{\\rtf", "a text document (rtf)", _AS_CSV),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (0, b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (0, b"Obj\x01", "an Avro file", _CONVERT),
    (0, b"ORC", "an ORC file", _CONVERT),
    (0, b"FEA1", "a Feather file of version 1", "write it as Feather 2 or Parquet"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _CONVERT),
    (0, b"SAS     ", "a SAS file", _AS_CSV),
    (84, b"SAS FILE", "a SAS file", _AS_CSV),
    (0, b"$FL2", "an SPSS file", _AS_CSV),
    (0, b"<stata_dta>", "a Stata file", _AS_CSV),
    (0, b"\x93NUMPY", "a NumPy array", _CONVERT),
    (0, b"\x80\x04\x95", "a Python pickle", _CONVERT),
    (0, b"\x80\x05\x95", "a Python pickle", _CONVERT),
    (0, b"\x89PNG", "a picture (PNG)", "give the file with the data"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)", "give the file with the data"),
    (0, b"\x7fELF", "a program", "give the file with the data"),
    (0, b"-----BEGIN PGP", "an encrypted PGP message", "decrypt it first"),
    (0, b"version https://git-lfs", "a pointer of Git LFS and not the data",
     "fetch it with git lfs pull"),
)  # fmt: skip
_MARKUP = ((b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<?xml", "XML"))
_OFFICE = (
    ("xl/", "an Excel spreadsheet (xlsx)"),
    ("word/", "a Word document (docx)"),
    ("ppt/", "a presentation (pptx)"),
)


def foreign_kind(head: bytes) -> str | None:
    """What the file is and what to do, where it cannot be read as rows. 512 bytes are enough."""
    for at, signature, what, remedy in _SIGNATURES:
        if head[at:].startswith(signature):
            return f"is {what}: {remedy}"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    for opening, what in _MARKUP:
        if start.startswith(opening):
            return f"is {what} and not a table: {_AS_CSV}"
    return None


def foreign_archive(names: Sequence[str], mime: bytes) -> str | None:
    """The same for a zip archive, by its members and the content of one named `mimetype`."""
    if mime.startswith(b"application/vnd.oasis.opendocument"):
        what = "spreadsheet (ods)" if b"spreadsheet" in mime else "document"
        return f"is an OpenDocument {what}: {_AS_CSV}"
    if "[Content_Types].xml" in names:
        for folder, what in _OFFICE:
            if any(name.startswith(folder) for name in names):
                return f"is {what}: {_AS_CSV}"
        return f"is an Office document: {_AS_CSV}"
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in names):
        return f"is a spreadsheet of Numbers: {_AS_CSV}"
    return None
