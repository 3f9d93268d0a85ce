"""Process of the profile, `python -m bench.live.profile.serving FILE`: the API, measured by step.

It is the API's own entry, on its own settings; what it has measured is written when it is stopped.
"""

import signal
import sys
from pathlib import Path

import orjson

from bench.live.profile.clock import StepClock
from bench.live.profile.steps import install
from runtime.processes.api import main as serve


def main(file: Path) -> None:
    clock = StepClock()
    install(clock)
    # uvicorn raises it again once it has shut down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve()
    finally:
        file.write_bytes(dumped(clock))


def dumped(clock: StepClock) -> bytes:
    """[[began, {step: [wall, processor]}], ...] in nanoseconds."""
    return orjson.dumps(
        [
            [each.began, {name: [t.wall, t.processor] for name, t in each.steps.items()}]
            for each in clock.records
        ]
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
