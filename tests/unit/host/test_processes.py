"""Priorities: what gives way, and to whom."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.processes import give_way

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


def test_a_child_is_made_to_give_way_with_its_session() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=-1, start_new_session=True
    ) as of:
        wanted = os.getpriority(os.PRIO_PROCESS, 0) + 3
        give_way(wanted, of.pid)
        assert os.getpriority(os.PRIO_PROCESS, of.pid) == wanted
        session = Path(f"/proc/{of.pid}/autogroup")
        if session.exists():
            assert session.read_text().split()[1:] == ["nice", str(wanted)]
