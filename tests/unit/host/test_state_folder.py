"""The lock of a state folder: one command at a time, freed when its holder dies."""

import signal
import subprocess
import sys
from pathlib import Path

from host.state_folder import StateFolder, command_lock

_HOLD = (
    "import pathlib, sys, time\n"
    "from host.state_folder import StateFolder, command_lock\n"
    "with command_lock(StateFolder(pathlib.Path(sys.argv[1])), lambda: None):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_a_command_waits_for_another_and_goes_on_when_that_one_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited = []

    def waiting() -> None:
        waited.append(True)
        holder.send_signal(signal.SIGKILL)

    with holder, command_lock(StateFolder(tmp_path), waiting):
        assert waited == [True]


def test_the_lock_is_free_once_a_command_has_ended(tmp_path: Path) -> None:
    waited: list[bool] = []
    for _ in range(2):
        with command_lock(StateFolder(tmp_path), lambda: waited.append(True)):
            pass
    assert not waited
