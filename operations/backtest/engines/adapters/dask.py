"""Dask engine: workers of a scheduler, or two and more of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from domain.errors import SettingsError, UnavailableError
from operations.backtest.engines.port import Done, Made, Task

try:
    import distributed
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError
except ImportError as error:
    raise SettingsError(
        "--engine dask: the package is not installed; install this one with its extra `dask`"
        " (pip install 'retrace[dask]')"
    ) from error

_SECONDS = 60


class DaskEngine:
    """Implements Engine. Workers read the archive by its URL, and see the folder of backtests under
    the same path as this process: on other machines it is a shared one."""

    worth_it = 0

    def __init__(self, client: distributed.Client) -> None:
        self._client = client

    @property
    def workers(self) -> int:
        return max(1, int(sum(self._client.nthreads().values())))

    def run(self, job: Callable[[Task], Made], tasks: Sequence[Task], done: Done) -> list[Made]:
        futures = self._client.map(job, list(tasks), pure=False, retries=0)
        try:
            for number, _ in enumerate(distributed.as_completed(futures, raise_errors=True)):
                done(number + 1)
            found: list[Made] = self._client.gather(futures)
            return found
        except distributed.KilledWorker as error:
            raise UnavailableError("dask", f"workers died of a task: {error}") from error
        except (CommClosedError, FutureCancelledError) as error:
            raise UnavailableError("dask", f"the scheduler is gone: {error}") from error
        finally:
            self._client.cancel(futures)


@contextmanager
def dask_engine(scheduler: str, workers: int) -> Iterator[DaskEngine]:
    """Of the scheduler at that address (`tcp://HOST:PORT`), else of as many processes here.

    Raises UnavailableError where no scheduler answers.
    """
    with ExitStack() as held:
        address = scheduler
        if not address:
            cluster = distributed.LocalCluster(
                n_workers=max(2, workers), threads_per_worker=1, dashboard_address=None,
                host="127.0.0.1", memory_limit=0,
            )  # fmt: skip
            address = held.enter_context(cluster).scheduler_address
        try:
            client = distributed.Client(address, timeout=_SECONDS)
        except (OSError, TimeoutError) as error:
            raise UnavailableError("dask", f"no scheduler answers at {address}: {error}") from error
        yield DaskEngine(held.enter_context(client))
