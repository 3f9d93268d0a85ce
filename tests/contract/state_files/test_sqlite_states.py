"""States in SQLite under the StateFile contract."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from projections.offline.entity_states import StateFile
from projections.offline.state_file import SqliteStates
from tests.contract.state_files.contract import StateFileContract


class TestSqliteStates(StateFileContract):
    @pytest.fixture
    def open_file(self, tmp_path: Path) -> Iterator[Callable[[], StateFile]]:
        opened: list[SqliteStates] = []
        with ExitStack() as stack:

            def open_file() -> StateFile:
                if opened:
                    # As where a process dies: nothing is committed.
                    opened[-1].close()
                opened.append(SqliteStates(tmp_path / "states.sqlite"))
                stack.callback(opened[-1].close)
                return opened[-1]

            yield open_file
