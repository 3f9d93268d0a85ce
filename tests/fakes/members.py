"""Members of an in-memory group: partitions are dealt out anew at each change, and told at once."""

from collections.abc import Mapping

from eventlog.ownership.members import Told
from eventlog.topics import TRANSACTIONS


class InMemoryGroup:
    """All members that share the partitions."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}

    def member(self, url: str) -> "InMemoryMembers":
        return InMemoryMembers(self, url)

    def join(self, url: str, told: Told) -> None:
        self._told[url] = told
        self._deal()

    def leave(self, url: str) -> None:
        if self._told.pop(url, None) is not None:
            self._deal()

    def owners(self) -> Mapping[int, str]:
        urls = sorted(self._told)
        return {each: urls[each % len(urls)] for each in range(TRANSACTIONS.partitions) if urls}

    def _deal(self) -> None:
        owners = self.owners()
        for url, told in self._told.items():
            told({partition for partition, owner in owners.items() if owner == url}, owners)


class InMemoryMembers:
    """Implements eventlog.ownership.members.Members."""

    def __init__(self, group: InMemoryGroup, url: str) -> None:
        self._group, self._url = group, url

    def start(self, told: Told) -> None:
        self._group.join(self._url, told)

    def look(self) -> None:
        """Everything was told."""

    def close(self) -> None:
        self._group.leave(self._url)
