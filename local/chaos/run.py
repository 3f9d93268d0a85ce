"""One run: each fault under load, the time to recover from it, and the audit of all stores."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from domain.errors import RetraceError
from faults.audit.auditing import audit
from faults.audit.checks.memories import check_memories
from faults.audit.evidence import Evidence, Finding, Post
from faults.audit.reading import Reading
from host.clock import now_us
from local.chaos.faults import Fault
from local.chaos.installation import Installation, open_installation
from local.chaos.receiver import alerts_received
from local.chaos.stores import Stores, indexes, memories, open_stores
from local.chaos.traffic import Payload, Traffic
from local.stack.control import Progress
from operations.features.verify import Proof, VerificationOptions, Verifier
from runtime.composition.features import open_verification
from runtime.composition.intake import cleaner_of

RECOVERY_SECONDS = 180.0
"""What takes longer to recover counts as not recovered."""
_WARM_SECONDS = 3.0
_LOOK_SECONDS = 0.25
_QUIET_SECONDS = 3.0
"""Longer than a submitted transaction waits for an agent to decide it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One fault. Times are seconds since it was over: `answers` until a decision was made in full
    again, `rest` until every process ran and every reader was at the end of the log, the traffic
    having been stopped meanwhile. None: not within RECOVERY_SECONDS."""

    fault: str
    answers: float | None
    rest: float | None
    findings: Sequence[Finding]


@dataclass(slots=True)
class Report:
    """`transactions` and `told` (answers) were compared; `proof` is that of the features."""

    tried: list[Tried] = field(default_factory=list)
    transactions: int = 0
    told: int = 0
    unavailable: int = 0
    proof: Proof | None = None
    after: Sequence[Finding] = ()

    @property
    def findings(self) -> list[Finding]:
        return [*(finding for each in self.tried for finding in each.findings), *self.after]

    def count(self, harm: str) -> int:
        return sum(finding.harm == harm for finding in self.findings)

    @property
    def recovered(self) -> bool:
        return all(each.rest is not None for each in self.tried)

    @property
    def passed(self) -> bool:
        different = self.proof.different if self.proof else 0
        return self.recovered and not self.findings and not different


def run_chaos(
    faults: Sequence[Fault],
    rate: float,
    progress: Progress,
    tell: Callable[[Tried], None],
    keep: bool = False,
) -> Report:
    """Everything that was started is stopped at the end, however it ends.

    Raises StackError where the installation does not start, or a process not again.
    """
    with alerts_received() as (url, posts), open_installation(progress, url, keep) as installation:
        trial = Trial(installation, rate, posts, progress)
        trial.run(faults, tell)
        if trial.report.recovered:
            progress.say("verifying features")
            trial.report.proof = _verified(installation)
        installation.stack.down()
        trial.judge_memories()
        return trial.report


class Trial:
    """Faults in an installation that runs. `posts` are the alerts that its receiver got, so far
    and later; None where they are not known."""

    def __init__(
        self,
        installation: Installation,
        rate: float,
        posts: Sequence[Post] | None,
        progress: Progress,
    ) -> None:
        self._installation, self._posts, self._progress = installation, posts, progress
        cleaner = cleaner_of(installation.settings)

        def digest(payload: Payload) -> str:
            return cleaner.digest(cleaner.clean(payload, now_us()))

        url = installation.settings.api_url
        self.traffic = Traffic(url, rate, digest, Random("chaos"))
        self.report = Report()
        self._seen: set[Finding] = set()
        self._last: tuple[Evidence, Reading] | None = None

    def run(self, faults: Sequence[Fault], tell: Callable[[Tried], None]) -> None:
        """One after the other, as long as each is recovered from."""
        with open_stores(self._installation.settings) as stores, self.traffic.running():
            for fault in faults:
                tried = self._try(stores, fault)
                self.report.tried.append(tried)
                tell(tried)
                if tried.rest is None:
                    # What comes next would be judged on what this one has left.
                    return

    def _try(self, stores: Stores, fault: Fault) -> Tried:
        self._progress.say(f"{fault.name}: {fault.about}")
        self.traffic.flow()
        self._await(self._no_decision_since(now_us()))
        self._installation.wait(_WARM_SECONDS)
        fault.make(self._installation)
        over = time.monotonic()
        _, answered = self._await(self._no_decision_since(now_us()))
        self._installation.wait(_WARM_SECONDS)
        left, rested = ["requests are not answered"], None
        if self.traffic.stop(RECOVERY_SECONDS):
            left, rested = self._await(lambda: self._unrest(stores), _QUIET_SECONDS)
        return Tried(
            fault.name,
            None if answered is None else answered - over,
            None if rested is None else rested - over,
            self._audited(stores) if rested else [Finding("rest", what, "lost") for what in left],
        )

    def _no_decision_since(self, moment: int) -> Callable[[], list[str]]:
        return lambda: [] if self.traffic.decided > moment else ["nothing is decided in full"]

    def _unrest(self, stores: Stores) -> list[str]:
        try:
            return self._installation.not_running() or stores.unrest()
        except RetraceError as error:
            return [str(error)]

    def _await(
        self, unmet: Callable[[], list[str]], quiet: float = 0.0
    ) -> tuple[list[str], float | None]:
        """What is still unmet after RECOVERY_SECONDS, and since when nothing is, for `quiet`
        seconds at least."""
        end, since = time.monotonic() + RECOVERY_SECONDS, None
        while True:
            left, now = unmet(), time.monotonic()
            since = None if left else since or now
            if since is not None and now - since >= quiet:
                return [], since
            if now > end:
                return left or ["it does not stay at rest"], None
            self._installation.wait(_LOOK_SECONDS)

    def _audited(self, stores: Stores) -> list[Finding]:
        """What was not found before."""
        answers = list(self.traffic.answers)
        imported = self._installation.imported
        posts = None if self._posts is None else list(self._posts)
        evidence, reading = stores.evidence(answers, posts, imported)
        self._last = evidence, reading
        self.report.transactions, self.report.told = len(reading.lives), len(answers)
        self.report.unavailable = self.traffic.unavailable
        strange = [Finding("answers", f"{n} times: {what}") for what, n in self._strange()]
        return self._new([*strange, *audit(evidence, reading)])

    def _strange(self) -> list[tuple[str, int]]:
        found = list(self.traffic.strange.items())
        self.traffic.strange.clear()
        return found

    def judge_memories(self) -> None:
        """Once all processes have ended: what they have kept on their disk."""
        if self._last is None:
            return
        evidence, reading = self._last
        folder = self._installation.settings.state_dir
        kept = replace(evidence, memories=memories(folder, reading), indexes=indexes(folder))
        found = check_memories(kept, reading)
        self.report.after = self._new(list(found))

    def _new(self, findings: list[Finding]) -> list[Finding]:
        new = [each for each in findings if each not in self._seen]
        self._seen.update(new)
        return new


def _verified(installation: Installation) -> Proof:
    def quietly(*_: object) -> None: ...

    with open_verification(installation.settings) as ports:
        return Verifier(ports, VerificationOptions(), quietly, quietly).run()
