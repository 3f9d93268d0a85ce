"""Owns laying down history from files: reading, binding, cleaning, labelling; wires no server."""

from commands.importing.columns import Binding, bind
from commands.importing.handler import ImportPorts, ImportRows, import_rows
from commands.importing.opening import open_rows
from commands.importing.pace import Pace
from commands.importing.rejects import Reject, RejectFile, RejectSink
from commands.importing.rows import MalformedRow, RowSource
from commands.importing.summary import ImportSummary

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
