"""Log of a dry run: everything but the append is done."""

from domain.events import Envelope
from eventlog.topics import Topic


class NothingAppended:
    """Implements Appender."""

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        pass

    def flush(self, timeout: float = 60.0) -> None:
        pass
