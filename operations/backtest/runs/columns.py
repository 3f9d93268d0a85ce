"""Columns of a backtest, kept until it has ended: an interrupted one continues from them.

<state folder>/backtests/<key>/run.json         the moment that was read, and of which attributes
                               *.npy, ...       features, fields, labels, and scores of models

The key is the digest of the period, the features and the code. A run that is started again within
a day reads the log as far as the interrupted one did, so that nothing is replayed again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from domain.errors import ConflictError, IntegrityError
from domain.features import CATALOGUE, FeatureSet
from domain.times import DAY
from host.clock import now_us
from host.files import writing
from host.source_digest import source_digest
from operations.backtest.laying.files import open_columns
from operations.backtest.policies.past import Floats, Past, ScoreVectors, past_in
from operations.backtest.policies.run import ReadPast
from operations.backtest.runs.stored import store_scores, stored_scores
from operations.run_folders import is_held, locked, remove_folder, sweep

# The code that decisions of a backtest depend on.
SOURCES = (
    *("domain", "eventlog", "commands.policy", "projections.replay", "inference.serving"),
    "operations.backtest",
)
MOST_KEPT = 2
"""Interrupted runs whose columns lie in the folder beside the one that runs."""

_RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Moment:
    """How much of the log is read: what was known at `known_at`, microseconds UTC, up to
    `positions`, an offset per partition."""

    known_at: int
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Stored:
    begun: int
    moment: Moment
    attributes: list[str]
    features: list[str]

    def holds(self, attributes: Collection[str], features: FeatureSet) -> bool:
        return set(attributes) <= set(self.attributes) and set(features.names) <= set(self.features)


class KeptColumns:
    """Of one run: those of an interrupted one, whose `moment` it is then, or to be kept."""

    def __init__(self, folder: Path, held: ExitStack, found: _Stored | None) -> None:
        self._folder, self._held, self._found = folder, held, found
        self._keeps = found is not None

    @property
    def moment(self) -> Moment | None:
        return self._found.moment if self._found else None

    @property
    def begun(self) -> int:
        """When what is continued was interrupted at the earliest; 0 where nothing is."""
        return self._found.begun if self._found else 0

    def past(
        self,
        moment: Moment,
        attributes: Collection[str],
        features: FeatureSet,
        score: ScoreVectors,
        read: ReadPast,
    ) -> Past:
        """Raises what `read` does, and UnavailableError where the disk is full."""
        if self._found is not None and self._found.holds(attributes, features):
            past = past_in(self._folder, score)
        else:
            past = self._laid_down(moment, attributes, read)
        return replace(past, score=self._kept_scores(score, len(past)))

    def remove(self) -> None:
        """Of a run that has ended."""
        if self._keeps:
            remove_folder(self._folder)

    def _laid_down(self, moment: Moment, attributes: Collection[str], read: ReadPast) -> Past:
        root = self._folder.parent
        with writing(root):
            root.mkdir(parents=True, exist_ok=True)
            sweep(root)
            _bound(root)
            staging = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        self._held.enter_context(locked(staging))
        try:
            past = read(staging)
            names = list(past.made.features.names)
            found = _Stored(now_us(), moment, sorted(attributes), names)
            with writing(root):
                (staging / _RUN).write_bytes(msgspec.json.encode(found))
                if self._keeps:
                    remove_folder(self._folder)
                if not self._folder.exists():
                    staging.rename(self._folder)
                    self._keeps = True
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return past

    def _kept_scores(self, score: ScoreVectors, number: int) -> ScoreVectors:
        def kept(model_hash: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
            whole = self._keeps and len(values) == number
            found = stored_scores(model_hash, self._folder) if whole else None
            if found is None:
                found = score(model_hash, features, values)
                if whole:
                    with writing(self._folder):
                        store_scores(*found, model_hash, self._folder)
            return found

        return kept


@contextmanager
def kept_columns(
    root: Path,
    begin: int,
    end: int,
    moment: Moment | None = None,
    *,
    served: bool = False,
    anew: bool = False,
) -> Iterator[KeptColumns]:
    """Below the folder `root`, of a run over begin <= event time < end, by features as `served`.

    With a `moment` what was read at another one is not continued; with `anew` nothing is. Locked
    meanwhile; where another process has the same run, nothing is kept.
    """
    key = _key(begin, end, moment, served=served)
    with ExitStack() as held:
        found = _found(root / key, held, anew)
        yield KeptColumns(root / key, held, found)


def _found(folder: Path, held: ExitStack, anew: bool) -> _Stored | None:
    if not folder.is_dir():
        return None
    try:
        held.enter_context(locked(folder))
        found = msgspec.json.decode((folder / _RUN).read_bytes(), type=_Stored)
        open_columns(folder)
    except ConflictError:
        return None
    except (IntegrityError, OSError, msgspec.MsgspecError):
        anew = True
    if anew or now_us() - found.begun > DAY:
        remove_folder(folder)
        return None
    return found


def code() -> str:
    """A digest of the source that decides."""
    return source_digest(SOURCES)


def _key(begin: int, end: int, moment: Moment | None, *, served: bool) -> str:
    content = msgspec.json.encode([begin, end, moment, served, CATALOGUE.hash, code()])
    return hashlib.sha256(content).hexdigest()[:16]


def _bound(root: Path) -> None:
    """Removes the oldest of other runs."""
    others = [each for each in root.glob(f"*/{_RUN}") if not is_held(each.parent)]
    others.sort(key=lambda each: each.stat().st_mtime)
    for each in _all_but_last(others, MOST_KEPT):
        remove_folder(each.parent)


def _all_but_last(found: Sequence[Path], number: int) -> Sequence[Path]:
    return found[: max(0, len(found) - number)]
