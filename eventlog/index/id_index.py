"""IdIndex: places of each transaction id, and what was read of the ids that were asked for last."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from domain.events import Envelope
from eventlog.admission.first_wins import Admission, Known, Place, is_first_label
from eventlog.index.entries import about, entry_of, name_of
from eventlog.index.opening import Opened
from eventlog.index.places import Places

_MOST_REMEMBERED = 50_000


# No part of it refers to another: the garbage collector need not walk so many of them.
class Remembered(msgspec.Struct, gc=False):
    """All that the log says of one id, as far as it was read: its entries, and what counts."""

    entries: tuple[int, ...] = ()
    known: Known | None = None
    labels: dict[str, list[Place]] = msgspec.field(default_factory=dict)


class IdIndex:
    """Of the partitions that were opened. Not thread-safe.

    An id is *at hand* where it is remembered or has no place: then what is known of it is complete.
    What is said of any other is kept by its place alone, until it is remembered.
    """

    def __init__(self) -> None:
        self._places: dict[int, Places] = {}
        # What no file holds yet: (offset, name, entry), by partition.
        self.unkept: dict[int, list[tuple[int, int, int]]] = {}
        self._remembered: OrderedDict[str, Remembered] = OrderedDict()
        self._labels: dict[str, Remembered] = {}
        self._one = _OfOne()
        self._admission = Admission(self._one)

    def opened(self, partition: int) -> bool:
        return partition in self._places

    def open(self, partition: int, opened: Opened) -> None:
        self._places[partition] = Places(opened.entries)
        self.unkept[partition] = []

    def places(self, partition: int) -> Places:
        return self._places[partition]

    def wanted(self, transaction_id: str, partition: int) -> list[int] | None:
        """The entries that are to be read before it is at hand; None where it is."""
        if transaction_id in self._remembered:
            return None
        return self._places[partition].of(name_of(transaction_id)) or None

    def known(self, transaction_id: str) -> Known | None:
        """Of an id that is at hand."""
        held = self._remembered.get(transaction_id)
        return held.known if held else None

    def label(self, event_id: str) -> Place | None:
        """The last place of this event id that counts, of an id that was remembered."""
        held = self._labels.get(event_id)
        return held.labels[event_id][-1] if held else None

    def remember(
        self, transaction_id: str, partition: int, read: Sequence[tuple[int, Envelope]]
    ) -> None:
        """What the records at all its entries say, by rising offsets. Those of another id, whose
        name is the same, are passed over."""
        held = Remembered(tuple(self._places[partition].of(name_of(transaction_id))))
        self._keep(transaction_id, held)
        for offset, envelope in read:
            found = about(envelope)
            if found and found[0] == transaction_id:
                self._admits(held, envelope, partition, offset)

    def admit(self, envelope: Envelope, partition: int, offset: int) -> bool:
        """True where the record counts. It is about an id that is at hand."""
        found = about(envelope)
        if found is None:
            return True
        transaction_id, kind = found
        held = self._remembered.get(transaction_id) or Remembered()
        if not self._admits(held, envelope, partition, offset):
            return False
        self._keep(transaction_id, held)
        entry = entry_of(offset, kind)
        if entry not in held.entries:
            held.entries = (*held.entries, entry)
            self._add(transaction_id, partition, offset, entry)
        return True

    def note(self, envelope: Envelope, partition: int, offset: int) -> None:
        """Keeps the place of a record whose id is not at hand; whether it counts shows later."""
        found = about(envelope)
        if found is not None:
            self._add(found[0], partition, offset, entry_of(offset, found[1]))

    def _add(self, transaction_id: str, partition: int, offset: int, entry: int) -> None:
        name = name_of(transaction_id)
        self._places[partition].add(name, entry)
        self.unkept[partition].append((offset, name, entry))

    def _admits(self, held: Remembered, envelope: Envelope, partition: int, offset: int) -> bool:
        self._one.held = held
        counts = self._admission.admit(envelope, partition, offset)
        if counts and envelope.id in held.labels:
            self._labels[envelope.id] = held
        return counts

    def _keep(self, transaction_id: str, held: Remembered) -> None:
        self._remembered[transaction_id] = held
        self._remembered.move_to_end(transaction_id)
        while len(self._remembered) > _MOST_REMEMBERED:
            _, oldest = self._remembered.popitem(last=False)
            for event_id in oldest.labels:
                self._labels.pop(event_id, None)


class _OfOne:
    """Implements first_wins.Memory for the one id whose record is admitted."""

    held: Remembered

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """It is at hand."""

    def known(self, _: str) -> Known | None:
        return self.held.known

    def put(self, _: str, known: Known) -> None:
        self.held.known = known

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        places, place = self.held.labels.get(event_id, []), (partition, offset)
        if is_first_label(places, place, since):
            places = self.held.labels[event_id] = [*places, place]
        return place in places
