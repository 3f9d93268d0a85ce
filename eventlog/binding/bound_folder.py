"""Folder of files that were made from the log, bound to it by a file beside them."""

import json
from pathlib import Path

from domain.errors import IntegrityError
from eventlog.binding.bound import TopicIds
from host.files import write_whole

_NAME = "log.json"


class BoundFolder:
    """Implements eventlog.binding.bound.BoundStore; `what` names its content."""

    def __init__(self, folder: Path, what: str) -> None:
        self._file = folder / _NAME
        self.place = f"{what} in {folder}"
        self.remedy = "remove that folder"

    def bound(self, ids: TopicIds) -> TopicIds:
        """Raises IntegrityError for a file that is damaged."""
        held = self._read()
        if missing := {topic: each for topic, each in ids.items() if topic not in held}:
            held |= missing
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps(held, indent=2).encode())
        return held

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise IntegrityError(f"{self._file} is damaged: {self.remedy}") from error
