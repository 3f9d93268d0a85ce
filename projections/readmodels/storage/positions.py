"""Fence, position and counts of a projection, per partition of its topic."""

from collections.abc import Mapping

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


def lock(cursor: Cursor, projection: str, topic: str, epochs: Mapping[int, int]) -> dict[int, int]:
    """Holds partitions until the transaction ends; returns their next offsets. `epochs` are ours.

    Raises FencedError where somebody has taken one over since, or where positions were removed.
    """
    cursor.execute(
        "SELECT partition, epoch, next_offset FROM projection_positions"
        " WHERE projection = %s AND topic = %s AND partition = ANY(%s)"
        # In one order, so that two writers never wait for each other.
        " ORDER BY partition FOR UPDATE",
        (projection, topic, list(epochs)),
    )
    found = {int(row[0]): (int(row[1]), int(row[2])) for row in cursor}
    for partition, epoch in epochs.items():
        stored = found.get(partition)
        if stored is None or stored[0] != epoch:
            now = "nobody's" if stored is None else f"owned under epoch {stored[0]}"
            raise FencedError(
                f"{projection}: partition {partition} of {topic} was ours under epoch {epoch} and "
                f"is {now}: another worker has taken it over"
            )
    return {partition: found[partition][1] for partition in epochs}


def advance(
    cursor: Cursor,
    projection: str,
    topic: str,
    following: Mapping[int, int],
    counts: Mapping[int, Counts],
) -> None:
    """Moves locked positions on and adds to their counts."""
    moved = [
        (partition, at, each.projected, each.void, each.dead)
        for partition, at in following.items()
        for each in [counts[partition]]
    ]
    cursor.execute(
        "UPDATE projection_positions AS p SET next_offset = moved.at,"
        " projected = p.projected + moved.projected, void = p.void + moved.void,"
        " dead = p.dead + moved.dead, updated_at = now()"
        " FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
        " AS moved (partition, at, projected, void, dead)"
        " WHERE p.projection = %s AND p.topic = %s AND p.partition = moved.partition",
        (*map(list, zip(*moved, strict=True)), projection, topic),
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
