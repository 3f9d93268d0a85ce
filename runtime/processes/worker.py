"""Owns the process of one Faust worker: `python -m runtime.processes.worker NAME`.

It waits for Kafka, works until SIGTERM, and ends with a status other than 0 when it cannot go on:
its supervisor starts it anew, and it resumes where its projection says.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import uvloop

from domain.errors import LogUnavailableError, RetraceError, SettingsError
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.settings import KafkaSettings
from eventlog.topics import TRANSACTIONS
from projections.faust.app import WorkerSettings, build_app
from projections.faust.watchdog import Watchdog
from projections.faust.worker import Worker, explain
from runtime.processes.table import WORKERS, Tools
from runtime.settings import Settings, load_settings

logger = logging.getLogger("retrace.worker")

# Projections give way to those who decide, where they share cores: while a long history is folded,
# the processes that answer must keep up with the log, or they answer 503.
_NICENESS = {"features": 5, "readmodels": 10, "offline": 10, "evidence": 10, "archive": 10}

_CLOSING_SECONDS = 20.0

# Faust, mode and aiokafka tell of every step and, as errors, of what they recover from.
_TALKATIVE = ("faust", "mode", "aiokafka", "projections.faust.transport", "feast")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in WORKERS:
        print(f"usage: python -m runtime.processes.worker {{{'|'.join(WORKERS)}}}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = load_settings()
        log_to_stderr(settings.log_level)
        os.nice(_NICENESS.get(arguments[0], 0))
        uvloop.run(work(arguments[0], settings))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except Exception as error:
        if not isinstance(error, RetraceError):
            logger.error("%s: ended by", arguments[0], exc_info=True)
        return 1
    return 0


def log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


async def work(name: str, settings: Settings, topic_prefix: str = "") -> None:
    """Runs the worker in this event loop until it is told to stop, or fails."""
    limits = WorkerSettings(
        settings.kafka_bootstrap_servers,
        settings.state_dir,
        topic_prefix=topic_prefix,
        instance=os.environ.get("RETRACE_INSTANCE", name),
    )
    with ExitStack() as closing:
        log = KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers, topic_prefix))
        closing.callback(log.close)
        await _wait_for(log, name)
        app = build_app(name, limits)
        workload = WORKERS[name](Tools(name, settings, limits, app, log, closing))
        worker = Worker(name, app, workload.handlers)
        watchdog = Watchdog(worker, limits.stall_seconds)
        beside = [watchdog.run, *(worker.steadily(each) for each in workload.beside), worker.ready]
        tasks = [asyncio.ensure_future(each()) for each in beside]
        tasks[-1].add_done_callback(_tell_ready)
        try:
            await worker.run(workload.first)
        except BaseException as error:
            # At once: a task of a library that cannot be cancelled would keep it from being said.
            logger.error("%s: ends: %s", name, explain(error))
            raise
        finally:
            _end_for_certain()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _end_for_certain() -> None:
    """Whatever hangs on the way out, the process ends, and its supervisor starts it anew."""
    timer = threading.Timer(_CLOSING_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()


async def _wait_for(log: KafkaEventLog, name: str) -> None:
    pause = 0.5
    while True:
        try:
            await log.ends(TRANSACTIONS)
            return
        except LogUnavailableError as error:
            logger.warning("%s: waits for Kafka: %s", name, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)


def _tell_ready(task: asyncio.Future[None]) -> None:
    path = os.environ.get("RETRACE_READY_FILE")
    if path and not task.cancelled():
        Path(path).touch()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    logging.shutdown()
    # A thread of Faust's that hangs must not keep the process.
    os._exit(status)
