"""Time that threads wait for a processor, as the system tells."""

import subprocess
import sys

import pytest

_SHARED = """\
import os, subprocess, sys, time
from host.threads import SYSTEM
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
before, until = max(SYSTEM.starved().values()), time.monotonic() + 1
other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
while time.monotonic() < until:
    pass
other.kill()
print(max(SYSTEM.starved().values()) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_who_shares_a_processor_waits_for_it() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _SHARED], check=True, capture_output=True, text=True
    )
    assert float(told.stdout) > 0.1
