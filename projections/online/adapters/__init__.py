"""Feast and Redis.

Feast has the metrics of its process kept in files for several processes to share, unless they were
met before; ours are of one process, and cheaper in memory.

Feast has typeguard compile checks into its classes at import, which is most of the start of every
process that uses it. Types are checked before anything runs: classes of Feast stay as written.
"""

from typing import Any

import prometheus_client  # noqa: F401
import typeguard

_with_checks: Any = typeguard.typechecked


def _checked(target: Any = None, **options: Any) -> Any:
    if target is not None and target.__module__.startswith("feast."):
        return target
    return _with_checks(target, **options)


typeguard.typechecked = _checked
