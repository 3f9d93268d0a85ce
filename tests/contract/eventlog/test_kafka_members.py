"""The consumer group of owners under the Members contract, on a real server."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from eventlog.adapters.kafka_members import KafkaMembers
from eventlog.ledger.ledger import ALL
from eventlog.settings import KafkaSettings
from tests.contract.eventlog.members_contract import FIRST, Join, MembersContract, Told


class TestKafkaMembers(MembersContract):
    @pytest.fixture
    def join(self, kafka: KafkaSettings) -> Iterator[Join]:
        with ExitStack() as stack:

            def joined(url: str) -> Told:
                members = KafkaMembers(kafka, url)
                stack.callback(members.close)
                told = Told(members)
                members.start(told.take)
                return told

            yield joined

    def test_one_that_begins_under_the_url_of_another_is_told_so_at_once(self, join: Join) -> None:
        """As a process that died and is started again: its old session is not over yet."""
        join(FIRST).until(lambda told: told.mine == set(ALL))
        again = join(FIRST)
        again.until(lambda told: told.owners == dict.fromkeys(ALL, FIRST))
