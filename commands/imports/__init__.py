"""Import of history from files: reading, column binding, cleaning, labelling."""

from commands.imports.columns import Binding, bind
from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, RowSource
from commands.imports.rejects import Reject, RejectFile, RejectSink
from commands.imports.schedule import ReplaySchedule
from commands.imports.summary import ImportSummary

__all__ = [
    "Binding",
    "ImportPorts",
    "ImportRows",
    "ImportSummary",
    "MalformedRow",
    "Reject",
    "RejectFile",
    "RejectSink",
    "ReplaySchedule",
    "RowSource",
    "bind",
    "import_rows",
    "open_rows",
]
