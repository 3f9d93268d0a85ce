"""In-memory Generations, which hold no states."""

from domain.errors import ConflictError, NotFoundError
from domain.features import FeatureSet
from projections.online.generations import Generation


class InMemoryGenerations:
    """Implements projections.online.generations.Generations."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[FeatureSet, str]] = {}
        self._newest = self._live = self._before = 0

    def number(self) -> int:
        return self._live

    def before(self) -> int:
        return self._before

    def live(self) -> Generation:
        return self._of(self._live)

    def adopt(self, declared: FeatureSet) -> Generation:
        if not self._live:
            self.swap(0, self.begin(declared, "none was live").number)
        return self.live()

    def begin(self, features: FeatureSet, reason: str) -> Generation:
        self._newest += 1
        self._kept[self._newest] = features, reason
        return self._of(self._newest)

    def swap(self, before: int, after: int) -> None:
        self._of(after)
        if before != self._live:
            raise ConflictError(str(after), f"generation {self._live} is live, not {before}")
        self._before, self._live = before, after

    def drop(self, number: int, *, force: bool = False) -> int:
        if number == self._live or (number == self._before < self._live and not force):
            raise ConflictError(str(number), f"generation {number} is kept")
        self._kept.pop(number, None)
        return 0

    def all(self) -> list[Generation]:
        return [self._of(number) for number in sorted(self._kept)]

    def _of(self, number: int) -> Generation:
        if number not in self._kept:
            raise NotFoundError("generation", str(number))
        features, reason = self._kept[number]
        return Generation(number, features.hash, reason, number == self._live, features)
