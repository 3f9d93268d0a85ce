"""Processes: their identity, their descendants, and how they are stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
# All without privileges on a machine take turns of a tenth of a second (kernel/sched/autogroup.c).
_TURNS, _TURN_SECONDS = 50, 0.1


@dataclass(frozen=True)
class ProcessId:
    """A pid with its time of creation, because the kernel uses pids again."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    @classmethod
    def from_json(cls, value: object) -> ProcessId | None:
        if not isinstance(value, list) or len(value) != 2:
            return None
        return cls(int(value[0]), float(value[1]))

    def to_json(self) -> list[float]:
        return [self.pid, self.created]

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            # A clock adjustment may change the boot time, and with it times of creation.
            same = abs(process.create_time() - self.created) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def family(leader: ProcessId) -> set[ProcessId]:
    """The leader of a session we made, its members, and its living descendants."""
    pids = {leader.pid} if leader.alive() else set()
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if os.getsid(process.pid) == leader.pid:
                pids.add(process.pid)
    for pid in tuple(pids):
        with contextlib.suppress(psutil.Error):
            pids.update(child.pid for child in psutil.Process(pid).children(recursive=True))
    members = {found for pid in pids if (found := ProcessId.of(pid))}
    # The pid of the session may have been used again: members cannot be older than their leader.
    return {member for member in members if member.created >= leader.created - 2}


def stop(leader: ProcessId, how: signal.Signals, grace: float) -> None:
    """Send `how` to the leader, wait for `grace` seconds, then kill what is left of its family."""
    members = family(leader)
    if leader.alive():
        _send(leader, how)
        wait_until(lambda: not leader.alive(), grace)
    left = {member for member in members | family(leader) if member.alive()}
    for member in left:
        _send(member, signal.SIGKILL)
    wait_until(lambda: not any(member.alive() for member in left), 10)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _send(process: ProcessId, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, how)


def give_way(niceness: int, pid: int = 0) -> None:
    """Lets others go first where processors are short; less than it does already it never does.
    `pid` is a child that has just been started, ours without one.

    Linux shares processors among sessions first, each with a niceness of its own (sched(7), "The
    autogroup feature"), and among the processes of one by theirs. So a process that leads a session
    says it for both; one that somebody started in a terminal leaves the terminal as it is.
    """
    niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, pid))
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    if os.getsid(pid) == (pid or os.getpid()):
        # A kernel without autogroups, or one that lets nobody write there.
        with contextlib.suppress(OSError):
            _lower_session(niceness, pid or os.getpid())


def _lower_session(niceness: int, pid: int) -> None:
    path = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TURNS if path.exists() else 0):
        try:
            path.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_TURN_SECONDS)
        else:
            return


def die_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: on Linux the kernel sends `how` to the child when its parent dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel
