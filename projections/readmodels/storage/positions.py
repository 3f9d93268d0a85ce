"""Fence, position and counts of a projection, per partition of its topic."""

from domain.errors import FencedError
from projections.ports import Counts
from projections.readmodels.storage.driver import Cursor


def take_over(cursor: Cursor, projection: str, topic: str, partition: int) -> tuple[int, int]:
    """Bumps the epoch and returns (epoch, next offset).

    Waits for a transaction of the former owner that is under way: it ends before we begin, or
    (its process is frozen) the server ends it.
    """
    cursor.execute(
        "INSERT INTO projection_positions AS p VALUES (%s, %s, %s, 0, 1, 0, 0, 0, now())"
        " ON CONFLICT (projection, topic, partition)"
        " DO UPDATE SET epoch = p.epoch + 1, updated_at = now()"
        " RETURNING epoch, next_offset",
        (projection, topic, partition),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def lock(cursor: Cursor, projection: str, topic: str, partition: int, epoch: int) -> int:
    """Holds the partition until the transaction ends; returns its next offset.

    Raises FencedError where somebody has taken it over since, or where positions were removed.
    """
    cursor.execute(
        "SELECT epoch, next_offset FROM projection_positions"
        " WHERE projection = %s AND topic = %s AND partition = %s FOR UPDATE",
        (projection, topic, partition),
    )
    row = cursor.fetchone()
    if row is None or row[0] != epoch:
        now = "nobody's" if row is None else f"owned under epoch {row[0]}"
        raise FencedError(
            f"{projection}: partition {partition} of {topic} was ours under epoch {epoch} and is "
            f"{now}: another worker has taken it over"
        )
    return int(row[1])


def advance(
    cursor: Cursor, projection: str, topic: str, partition: int, next_offset: int, counts: Counts
) -> None:
    """Moves a locked position on and adds to its counts."""
    cursor.execute(
        "UPDATE projection_positions SET next_offset = %s, projected = projected + %s,"
        " void = void + %s, dead = dead + %s, updated_at = now()"
        " WHERE projection = %s AND topic = %s AND partition = %s",
        (next_offset, counts.projected, counts.void, counts.dead, projection, topic, partition),
    )


def positions_of(cursor: Cursor, projection: str, topic: str) -> dict[int, int]:
    """Per partition the offset of the next record to project, where there is one."""
    cursor.execute(
        "SELECT partition, next_offset FROM projection_positions"
        " WHERE projection = %s AND topic = %s",
        (projection, topic),
    )
    return {int(partition): int(following) for partition, following in cursor.fetchall()}


def counts_of(cursor: Cursor, projection: str, topic: str) -> dict[int, Counts]:
    """Per partition what its records added up to, where there is anything."""
    cursor.execute(
        "SELECT partition, projected, void, dead FROM projection_positions"
        " WHERE projection = %s AND topic = %s",
        (projection, topic),
    )
    return {int(partition): Counts(*map(int, counts)) for partition, *counts in cursor.fetchall()}
