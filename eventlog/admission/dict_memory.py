"""Memory of transaction ids in a dict; the one that survives its process is SqliteMemory."""

from collections.abc import Iterable

from eventlog.admission.first_wins import Known, Place, is_first_label


class DictMemory:
    """Implements eventlog.admission.first_wins.Memory."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._labels: dict[str, list[Place]] = {}

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """Everything is at hand."""

    def known(self, transaction_id: str) -> Known | None:
        return self._known.get(transaction_id)

    def put(self, transaction_id: str, known: Known) -> None:
        self._known[transaction_id] = known

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        places, place = self._labels.setdefault(event_id, []), (partition, offset)
        if is_first_label(places, place, since):
            places.append(place)
        return place in places
