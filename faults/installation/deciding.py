"""What decides: the context of a process, over simulated servers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

from commands import Context
from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from commands.policy.active import ActivePolicy
from commands.ports import ServedFeatures
from domain.features import CATALOGUE, Inputs
from domain.money import approximate_rates
from domain.policy.score import Score
from domain.policy.snapshot import NO_POLICY
from domain.transactions import Transaction
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS
from faults.installation.hosts import Host, Servers
from faults.loop.clock import wall_clock
from faults.loop.process import Process
from faults.loop.threads import LoopThreads
from faults.servers.archive import SimulatedArchive
from faults.servers.disk import DiskIndex
from faults.servers.kafka_client import SimulatedLog
from faults.servers.redis_serving import SimulatedServing
from projections.online.reader import OnlineFeatureReader

TOKEN_KEY, DIGEST_KEY, DEAD_LETTER_KEY = b"t" * 32, b"d" * 32, b"l" * 32
DEADLINE_SECONDS = 1.0
FAR = 1  # Logs are short here.


@dataclass(frozen=True, slots=True)
class AmountScorer:
    """Scores by the amount: what is scored plays no part here, only that all agree."""

    model_id: str = "amount"
    model_hash: str = "0" * 64
    inputs: Inputs = Inputs("amount", CATALOGUE.hash, CATALOGUE.names, ())  # noqa: RUF009
    fingerprint: str = "simulated"
    blocking: bool = False

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:  # noqa: ARG002
        return Score(min(transaction.amount, 100_000) / 100_000, [])


@cache
def cleaner() -> PayloadCleaner:
    """The same keys in every process of every installation."""
    return PayloadCleaner(Tokeniser(TOKEN_KEY), DIGEST_KEY, approximate_rates(), "EUR")


def context_of(servers: Servers, host: Host, process: Process) -> Context:
    """Its ledger is started, and follows nothing yet."""
    log = SimulatedLog(servers.cluster, process)
    threads = LoopThreads(servers.loop)
    states = SimulatedServing(servers.redis, process)
    reader = OnlineFeatureReader(states, partial(log.ends, TRANSACTIONS), ServedFeatures)
    files = DiskIndex(host.disk, process, servers.trouble)
    archived = SimulatedArchive(servers.archive, process)
    ledger = Ledger(log, files, archived, far=FAR, threads=threads, partitions=())
    ledger.start()
    policy = ActivePolicy(NO_POLICY, AmountScorer())
    return Context(
        source=f"retrace/{process.name}",
        clock=wall_clock(servers.loop, host.skew),
        log=log,
        ledger=ledger,
        cleaner=cleaner(),
        features=reader,
        policy=lambda: policy,
        # Never used: the loop runs what is given to any pool.
        pool=ThreadPoolExecutor(1),
        deadline=DEADLINE_SECONDS,
    )
