"""A roll-out takes its share of transactions, always the same ones, and others per model."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy.rollout import WHOLE, bucket, in_roll_out

ids = st.text(min_size=1, max_size=40)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
shares = st.integers(0, WHOLE)


@given(ids, hashes, shares, shares)
def test_an_id_that_is_in_at_one_share_is_in_at_every_greater_one(
    transaction_id: str, model_hash: str, one: int, other: int
) -> None:
    less, more = sorted((one, other))
    assert in_roll_out(transaction_id, model_hash, less) <= in_roll_out(
        transaction_id, model_hash, more
    )


@given(ids, hashes)
def test_a_share_of_zero_takes_none_and_the_whole_all(transaction_id: str, model_hash: str) -> None:
    assert not in_roll_out(transaction_id, model_hash, 0)
    assert in_roll_out(transaction_id, model_hash, WHOLE)


@given(hashes, shares, st.integers(0, 10**9))
def test_consecutive_ids_are_shared_within_chance(model_hash: str, share: int, first: int) -> None:
    tried = 2_000
    taken = sum(in_roll_out(f"tx-{n}", model_hash, share) for n in range(first, first + tried))
    p = share / WHOLE
    # Six standard deviations: once in five hundred million draws by chance, and one more for p ~ 0.
    assert abs(taken - tried * p) <= 6 * math.sqrt(tried * p * (1 - p)) + 6


@given(hashes, hashes)
def test_two_roll_outs_at_a_tenth_share_a_hundredth(one: str, other: str) -> None:
    if one == other:
        return
    both = sum(
        in_roll_out(f"tx-{n}", one, 1_000) and in_roll_out(f"tx-{n}", other, 1_000)
        for n in range(2_000)
    )
    assert both <= 20 + 6 * math.sqrt(20) + 6


@pytest.mark.parametrize(
    ("transaction_id", "model_hash", "expected"),
    [
        ("t-1", "a" * 64, 1607),
        ("t-1", "b" * 64, 4737),
        ("12345", "a" * 64, 7432),
        ("Zahlung-ü/7", "0" * 64, 6411),
    ],
)
def test_buckets_never_change(transaction_id: str, model_hash: str, expected: int) -> None:
    assert bucket(transaction_id, model_hash) == expected


def test_a_share_takes_the_buckets_below_it() -> None:
    assert not in_roll_out("t-1", "a" * 64, 1_607)
    assert in_roll_out("t-1", "a" * 64, 1_608)
