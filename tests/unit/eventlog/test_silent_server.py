"""A silent server costs each caller one timeout, not one after the other."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_reader import FewReader
from eventlog.port import Position
from eventlog.settings import KafkaSettings
from eventlog.topics import TRANSACTIONS

_TIMEOUT = 0.4


def test_callers_wait_for_a_silent_server_at_the_same_time_not_one_after_the_other() -> None:
    # Nobody listens on port 1.
    reader = FewReader(KafkaSettings("127.0.0.1:1", request_timeout=_TIMEOUT))

    def ask(offset: int) -> None:
        with pytest.raises(LogUnavailableError):
            reader.read(TRANSACTIONS.name, Position(TRANSACTIONS.name, 0, offset), 1)

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(12)))
    assert time.monotonic() - began < 4 * _TIMEOUT
    reader.close()
