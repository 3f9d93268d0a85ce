"""Worker process: `python -m runtime.processes.worker NAME`.

It waits for Kafka, works until SIGTERM, and ends with a status other than 0 when it cannot go on:
its supervisor starts it again, and it resumes at the positions that its projection has stored.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from pathlib import Path

import uvloop
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from commands.policy.keys import refuse_other_keys
from domain.errors import IntegrityError, LogUnavailableError, RetraceError, SettingsError, explain
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.binding.bound import bind, keep_bound
from eventlog.topics import DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS
from host.collector import look_rarely, settle, settle_again
from host.processes import give_way
from projections.broadcast.membership import BroadcastMembership
from projections.faust.app import build_membership
from projections.faust.membership import Membership
from projections.faust.progress import Progress
from projections.faust.settings import GATHERING_MS, WorkerSettings
from projections.faust.watchdog import Watchdog
from projections.faust.worker import Worker
from projections.ports import Workload
from runtime.composition.intake import keys_of
from runtime.processes.binding import Bound, memories_in, open_bound
from runtime.processes.table import WORKERS
from runtime.processes.workload import Tools
from runtime.settings import Settings, load_settings
from runtime.telemetry.logs import log_to_stderr
from runtime.telemetry.open_tracer import open_tracer
from runtime.telemetry.server import telemetry_server
from runtime.telemetry.worker_metrics import WorkerMetrics

logger = logging.getLogger("retrace.worker")

# Where they share cores, projections give way to the processes that decide: those must keep up with
# the log while a long history is folded, or they answer 503.
_NICENESS = {"features": 5, "readmodels": 15, "offline": 15, "evidence": 15, "archive": 15}

# Somebody may wait for these: the first records of a quiet time come at once.
_FIRST_AT_ONCE = {"features", "decisions", "readmodels"}
# Under load they gather for so long; the others as long as GATHERING_MS.
_FETCH_WAIT_MS = {"features": 60, "decisions": 100}
# Their records are about ids of any partition: each member reads all, and takes what is its own.
_READ_WHOLE = {"decisions": (INBOX_TRANSACTIONS, DEAD_LETTERS)}
# One process must see all partitions at once.
_SOLE_OWNERS = {"offline"}

_CLOSING_SECONDS = 20.0

# Faust, mode and aiokafka log every step, and log as errors what they recover from.
VERBOSE = ("faust", "mode", "aiokafka", "projections.faust.transport", "feast")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in WORKERS:
        print(f"usage: python -m runtime.processes.worker {{{'|'.join(WORKERS)}}}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = load_settings()
        log_to_stderr(
            f"worker-{arguments[0]}", settings.log_level, settings.log_format, quiet=VERBOSE
        )
        if arguments[0] in _NICENESS:
            give_way(_NICENESS[arguments[0]])
        look_rarely()
        uvloop.run(work(arguments[0], settings))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except Exception as error:
        if not isinstance(error, RetraceError):
            logger.error("%s: ended by an unexpected error", arguments[0], exc_info=True)
        return 1
    return 0


async def work(name: str, settings: Settings, topic_prefix: str = "") -> None:
    """Runs the worker in this event loop until it is told to stop, or fails."""
    limits = WorkerSettings(
        settings.kafka(topic_prefix),
        settings.state_dir,
        fetch_wait_ms=_FETCH_WAIT_MS.get(name, GATHERING_MS),
        first_at_once=name in _FIRST_AT_ONCE,
        sole_owner=name in _SOLE_OWNERS,
        instance=settings.member(os.environ.get("RETRACE_INSTANCE", name)),
    )
    # Closed in reverse order: what the workload opened, then the log.
    with ExitStack() as stack:
        tracer = stack.enter_context(open_tracer(settings, f"worker-{name}", limits.instance))
        log = stack.enter_context(closing(KafkaEventLog(limits.kafka, tracer)))
        await _wait_for_kafka(log, name)
        bound = stack.enter_context(open_bound(settings, name))
        await _refuse_another_log(name, log, limits.ledgers)
        await asyncio.to_thread(refuse_other_keys, log, keys_of(settings))
        metrics = WorkerMetrics(name, tracer.handled if tracer else None)
        progress = Progress(metrics)
        member = _member(name, limits, log, topic_prefix)
        tools = Tools(
            *(name, settings, limits, member, progress, log, stack),
            again=lambda: worker.again(),
            take=lambda *own: worker.take(*own),
        )
        workload = WORKERS[name](tools)
        worker = Worker(name, member, workload.handlers, progress, prefix=topic_prefix)
        metrics.show(worker)
        if settings.metrics_port:
            stack.enter_context(_shown(settings, metrics, worker))
        _stop_on_signals(worker)
        watchdog = Watchdog(worker, limits.stall_seconds, slow_seconds=limits.slow_seconds)
        beside = [
            watchdog.run,
            *(worker.background(each) for each in workload.beside),
            worker.background(partial(keep_bound, log, bound.every)),
            worker.background(partial(_ready, worker)),
        ]
        tasks = [asyncio.ensure_future(each()) for each in beside]
        try:
            await worker.run(partial(_begin, log, bound, workload))
        except BaseException as error:
            # Logged at once: a task of a library that cannot be cancelled may delay the end.
            logger.error("%s: ends: %s", name, explain(error))
            raise
        finally:
            _exit_in_any_case()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _member(name: str, limits: WorkerSettings, log: KafkaEventLog, prefix: str) -> Membership:
    group = build_membership(name, limits)
    whole = _READ_WHOLE.get(name, ())
    return BroadcastMembership(group, log, whole, prefix) if whole else group


def _shown(
    settings: Settings, metrics: WorkerMetrics, worker: Worker
) -> AbstractContextManager[int]:
    """Raises SettingsError where the port is taken."""
    host, port = settings.metrics_host, settings.metrics_port
    try:
        return telemetry_server(
            host, port, metrics.registry, lambda: worker.asked and not worker.unassigned
        )
    except OSError as error:
        raise SettingsError(f"RETRACE_METRICS_PORT: {host}:{port}: {error.strerror}") from error


async def _refuse_another_log(name: str, log: KafkaEventLog, memories: Path) -> None:
    """Before any file of the memories is opened."""
    try:
        await bind(log, memories_in(memories))
    except IntegrityError as error:
        logger.error("%s: does not begin: %s", name, error)
        raise


async def _begin(log: KafkaEventLog, bound: Bound, workload: Workload) -> None:
    await bind(log, *bound.needed)
    if workload.first is not None:
        await workload.first()


def _stop_on_signals(worker: Worker) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, worker.stop)


def _exit_in_any_case() -> None:
    """Ends the process after a while, whatever hangs on the way out; its supervisor restarts it."""
    timer = threading.Timer(_CLOSING_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()


async def _wait_for_kafka(log: KafkaEventLog, name: str) -> None:
    def warn(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning("%s: waits for Kafka: %s", name, error)

    until_it_answers = AsyncRetrying(
        wait=wait_exponential(multiplier=0.5, max=5.0),
        retry=retry_if_exception_type(LogUnavailableError),
        before_sleep=warn,
    )
    await until_it_answers(log.ends, TRANSACTIONS)


async def _ready(worker: Worker) -> None:
    await worker.ready()
    settle()
    _touch_ready_file()
    await settle_again()


def _touch_ready_file() -> None:
    if path := os.environ.get("RETRACE_READY_FILE"):
        Path(path).touch()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    logging.shutdown()
    # A thread of Faust that hangs must not keep the process alive.
    os._exit(status)
