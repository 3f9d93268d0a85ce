"""Composition of the context of a process that decides."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

from commands import Context
from commands.policy.active import PolicyWatch
from commands.ports import CompiledRules, Scorer
from domain.events import DeclaredList, Rule
from domain.features import CATALOGUE
from domain.features.engine import warm_up
from domain.policy.snapshot import Model
from eventlog.cache_files import remove_cache
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import Ledger
from eventlog.ledger.shared_call import SharedCall
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from runtime.composition.deciding.archived import LateArchive
from runtime.composition.intake import cleaner_of
from runtime.composition.models import open_scorers, rule_language
from runtime.composition.stores import open_feature_reader
from runtime.settings import Settings

# So many wait for a model server at once; a model in the process waits for nothing.
_WAITING = 32


@contextmanager
def open_context(settings: Settings, instance: str, log: EventLog) -> Iterator[Context]:
    """Everything that a deciding process needs, closed in reverse order; the log stays open. Its
    ledger follows no partition until it is told which are its own.

    Raises LogUnavailableError where Kafka does not answer: without it nothing is decided.
    """
    # The first decision has no time to load compiled code.
    warm_up(CATALOGUE)
    with ExitStack() as stack:
        ends = SharedCall(partial(log.ends, TRANSACTIONS))
        reader = stack.enter_context(open_feature_reader(settings, instance, ends))
        ledgers = settings.state_dir / "ledger"
        # Until there was an index of ids they were kept there.
        remove_cache(ledgers / f"{instance}.sqlite")
        files, archived = FolderFiles(ledgers / instance), LateArchive(settings.archive_url)
        ledger = Ledger(log, files, archived, partitions=())
        stack.callback(ledger.close)
        load = stack.enter_context(open_scorers(settings))

        def scorer_of(model: Model) -> Scorer:
            return load(model.model_hash)

        def compiled(rules: Sequence[Rule], lists: Sequence[DeclaredList]) -> CompiledRules:
            return rule_language().compile(rules, lists)

        policy = PolicyWatch(log, scorer_of, compiled)
        stack.callback(policy.close)
        policy.start()
        ledger.start()
        pool = stack.enter_context(ThreadPoolExecutor(_WAITING, thread_name_prefix="model-server"))
        yield Context(
            source=f"retrace/{instance}",
            clock=now_us,
            log=log,
            ledger=ledger,
            cleaner=cleaner_of(settings),
            features=reader,
            policy=policy.current,
            pool=pool,
            deadline=settings.feature_deadline,
        )
