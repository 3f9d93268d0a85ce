"""Memory of transaction ids in a dict; the one that survives its process is SqliteMemory."""

from collections.abc import Iterable, Mapping

from eventlog.admission.first_wins import Known, Place, is_first_label


class DictMemory:
    """Implements eventlog.admission.first_wins.Memory."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._labels: dict[str, list[Place]] = {}

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """Everything is at hand."""

    def known(self, transaction_ids: Iterable[str]) -> dict[str, Known]:
        return {i: self._known[i] for i in transaction_ids if i in self._known}

    def put(self, entries: Mapping[str, Known]) -> None:
        self._known.update(entries)

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        places, place = self._labels.setdefault(event_id, []), (partition, offset)
        if is_first_label(places, place, since):
            places.append(place)
        return place in places
