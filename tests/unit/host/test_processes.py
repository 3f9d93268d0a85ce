"""Priorities: what gives way, and to whom."""

import subprocess
import sys
from pathlib import Path

import pytest

_AUTOGROUP = Path("/proc/self/autogroup")
_TOLD = """
import os
from pathlib import Path
from host.processes import give_way

had = os.getpriority(os.PRIO_PROCESS, 0)
for more in (3, 1):
    give_way(had + more)
session = Path("/proc/self/autogroup")
now = os.getpriority(os.PRIO_PROCESS, 0)
print(now - had, now, session.read_text() if session.exists() else "")
"""


@pytest.mark.parametrize("leads", [True, False], ids=["leads a session", "of a terminal"])
def test_a_process_gives_way_and_so_does_its_session_where_it_leads_one(leads: bool) -> None:
    before = _AUTOGROUP.read_text().split() if _AUTOGROUP.exists() else []
    found = subprocess.run(
        [sys.executable, "-c", _TOLD],
        check=True,
        capture_output=True,
        text=True,
        start_new_session=leads,
    )
    more, niceness, *session = found.stdout.split()
    assert more == "3"
    if before:
        assert session[1:] == (["nice", niceness] if leads else before[1:])
