"""Contract suite of BoundStore; one test class per adapter inherits it and gives the store."""

from collections.abc import Callable

import pytest

from domain.errors import IntegrityError
from eventlog.binding.bound import LOG, BoundStore, bind_to, check_bound

OURS = {topic.name: f"{topic.name}-1" for topic in LOG}
FIRST = LOG[0].name


class BoundStoreContract:
    @pytest.fixture
    def open_store(self) -> Callable[[], BoundStore]:
        raise NotImplementedError("give openings of one store, which is bound to nothing")

    def test_a_store_is_bound_to_the_first_log_that_it_meets(
        self, open_store: Callable[[], BoundStore]
    ) -> None:
        assert open_store().bound({}) == {}
        bind_to(OURS, open_store())
        assert open_store().bound({}) == OURS
        bind_to(OURS, open_store())

    def test_a_log_that_was_made_anew_is_refused_and_binds_nothing(
        self, open_store: Callable[[], BoundStore]
    ) -> None:
        bind_to({FIRST: "before"}, open_store())
        for ids in (OURS, {}):
            with pytest.raises(IntegrityError, match=f"another log: .*{FIRST} had the id before"):
                bind_to(ids, open_store())
            with pytest.raises(IntegrityError, match="lost for ever, "):
                check_bound(ids, open_store())
        assert open_store().bound({}) == {FIRST: "before"}

    def test_an_id_that_is_kept_is_never_replaced(
        self, open_store: Callable[[], BoundStore]
    ) -> None:
        open_store().bound({FIRST: "before"})
        assert open_store().bound(OURS) == {**OURS, FIRST: "before"}

    def test_it_names_itself_and_what_to_do(self, open_store: Callable[[], BoundStore]) -> None:
        assert open_store().place
        assert open_store().remedy
