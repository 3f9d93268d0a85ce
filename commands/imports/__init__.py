"""Owns laying down history from files: reading, binding, cleaning, labelling; wires no server."""

from commands.imports.columns import Binding, bind
from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, RowSource
from commands.imports.rejects import Reject, RejectFile, RejectSink
from commands.imports.schedule import Pace
from commands.imports.summary import ImportSummary

__all__ = [
    "Binding",
    "ImportPorts",
    "ImportRows",
    "ImportSummary",
    "MalformedRow",
    "Pace",
    "Reject",
    "RejectFile",
    "RejectSink",
    "RowSource",
    "bind",
    "import_rows",
    "open_rows",
]
