"""Logs of a process: lines for people, or one JSON object a line for those who gather them.

Messages name transactions, servers and places, and no field of a payment.
"""

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from commands.transactions.correlation import CORRELATION


class JsonLines(logging.Formatter):
    """`correlation_id` is that of the transaction that was being decided, where there was one."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation := CORRELATION.get():
            line["correlation_id"] = correlation
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(process: str, level: str, form: str, quiet: Sequence[str] = ()) -> None:
    """`form` is text or json; loggers in `quiet` tell what is critical alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines(process)
        if form == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler])
    for name in quiet:
        logging.getLogger(name).setLevel(logging.CRITICAL)
