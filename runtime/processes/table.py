"""Table of the workers: by name, what builds each one's workload."""

from projections.ports import Workload
from runtime.processes.workload import Build, Tools


def _decisions(tools: Tools) -> Workload:
    from runtime.processes.decisions import decisions

    return decisions(tools)


def _features(tools: Tools) -> Workload:
    from runtime.processes.features import features

    return features(tools)


def _offline(tools: Tools) -> Workload:
    from runtime.processes.offline import offline

    return offline(tools)


def _readmodels(tools: Tools) -> Workload:
    from runtime.processes.readmodels import readmodels

    return readmodels(tools)


def _evidence(tools: Tools) -> Workload:
    from runtime.processes.evidence import evidence

    return evidence(tools)


def _archive(tools: Tools) -> Workload:
    from runtime.processes.archive import archive

    return archive(tools)


# Each imports its own module alone: Feast, SQLAlchemy and the kernel take seconds and memory.
WORKERS: dict[str, Build] = {
    "decisions": _decisions,
    "features": _features,
    "offline": _offline,
    "readmodels": _readmodels,
    "evidence": _evidence,
    "archive": _archive,
}
