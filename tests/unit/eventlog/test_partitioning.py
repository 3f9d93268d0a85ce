"""Partitions of keys are those of Java's and aiokafka's partitioners."""

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from eventlog.partitioning import murmur2, partition_for, partitions_for


@pytest.mark.parametrize(
    ("key", "signed"),
    # org.apache.kafka.common.utils.UtilsTest
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_what_kafka_gives(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=40))
def test_murmur2_agrees_with_another_implementation_of_it(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_aiokafka(key) % 2**32


@given(st.text(), st.integers(1, 64))
def test_every_key_has_a_partition(key: str, partitions: int) -> None:
    assert 0 <= partition_for(key, partitions) < partitions


@given(st.lists(st.text(max_size=30), max_size=150), st.integers(1, 64))
def test_many_keys_have_the_partitions_that_each_has(keys: list[str], partitions: int) -> None:
    many = [*keys, *map(str, range(64))]
    assert partitions_for(many, partitions) == [partition_for(key, partitions) for key in many]
