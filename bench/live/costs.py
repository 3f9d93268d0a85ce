"""Processor time of an installation, by service."""

from collections.abc import Mapping
from contextlib import suppress

import psutil

from host.processes import family
from local.stack.errors import StackError
from local.stack.status import recorded_processes
from runtime.settings import Settings

Seconds = Mapping[str, float]


def processor_seconds(settings: Settings) -> Seconds:
    """Per service what its processes have taken so far, those of a server's pool included.

    What a child took that has ended counts with its parent; services are not to be started again
    meanwhile.
    """
    found = {}
    for name, process in recorded_processes(settings):
        taken = 0.0
        for member in family(process):
            with suppress(psutil.Error):
                times = psutil.Process(member.pid).cpu_times()
                taken += times.user + times.system + times.children_user + times.children_system
        found[name] = taken
    return found


def milliseconds_each(before: Seconds, after: Seconds, count: int) -> dict[str, float]:
    """Per service, and of all together, for each of `count` transactions.

    Raises StackError where a service was started again between the two.
    """
    for name, seconds in before.items():
        if after.get(name, 0.0) < seconds:
            raise StackError(f"{name} was started again while it was measured: see its log")
    each = {
        name: round((after[name] - before.get(name, 0.0)) / max(count, 1) * 1e3, 3)
        for name in after
    }
    return {
        **dict(sorted(each.items(), key=lambda entry: -entry[1])),
        "all": round(sum(each.values()), 3),
    }
