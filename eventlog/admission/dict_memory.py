"""Memory of transaction ids in a dict; the one that survives its process is SqliteMemory."""

from collections.abc import Iterable, Mapping

from eventlog.admission.first_wins import Known


class DictMemory:
    """Implements eventlog.admission.first_wins.Memory."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._labels: dict[str, tuple[int, int]] = {}

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """Everything is at hand."""

    def known(self, transaction_ids: Iterable[str]) -> dict[str, Known]:
        return {i: self._known[i] for i in transaction_ids if i in self._known}

    def put(self, entries: Mapping[str, Known]) -> None:
        self._known.update(entries)

    def first_label(self, event_id: str, partition: int, offset: int) -> tuple[int, int]:
        return self._labels.setdefault(event_id, (partition, offset))
