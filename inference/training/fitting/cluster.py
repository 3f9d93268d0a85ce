"""Cluster of training workers: which of them this process is, and its part of a batch."""

import json
import os
from dataclasses import dataclass
from typing import Any

from domain.errors import SettingsError
from inference.serving.network.tensorflow_setup import start


@dataclass(frozen=True, slots=True)
class Cluster:
    """Worker `index` of `workers`. The addresses of several are in TF_CONFIG."""

    workers: int = 1
    index: int = 0

    @property
    def chief(self) -> bool:
        return self.index == 0

    def part(self, rows: int) -> slice:
        """This worker's part of a batch; the parts of all are the batch, in order."""
        return slice(rows * self.index // self.workers, rows * (self.index + 1) // self.workers)

    def strategy(self) -> Any:
        """TensorFlow's. With several workers each must call this, and waits for the others."""
        return _strategy(self.workers)


ALONE = Cluster()


def cluster_of_environment() -> Cluster:
    """From TF_CONFIG, {"cluster": {"worker": [host:port, ...]}, "task": {"index": 0}}; alone
    without it. Raises SettingsError where it is wrong."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return Cluster()
    try:
        config = json.loads(text)
        workers, index = len(config["cluster"]["worker"]), int(config["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"TF_CONFIG: expected a cluster of workers and a task: {error}"
        ) from None
    if not 0 <= index < workers:
        raise SettingsError(f"TF_CONFIG: task {index} is none of {workers} workers")
    return Cluster(workers, index)


_joined: list[Any] = []


def _strategy(workers: int) -> Any:
    tensorflow = start()
    if workers == 1:
        return tensorflow.distribute.get_strategy()
    if not _joined:
        _joined.append(tensorflow.distribute.MultiWorkerMirroredStrategy())
    return _joined[0]
