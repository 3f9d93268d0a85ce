"""The in-memory group under the Members contract."""

import pytest

from tests.contract.eventlog.members_contract import Join, MembersContract, Told
from tests.fakes.members import InMemoryGroup


class TestInMemoryMembers(MembersContract):
    @pytest.fixture
    def join(self) -> Join:
        group = InMemoryGroup()

        def joined(url: str) -> Told:
            told = Told(group.member(url))
            told.members.start(told.take)
            return told

        return joined
