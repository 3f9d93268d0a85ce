"""Progress that a worker's handlers tell of, beside the positions that its watchdog sees move."""

import asyncio

from projections.faust.membership import TopicPartition


class Progress:
    """`at`: when work was last known to go on, in seconds of the event loop.

    `held` are the partitions that are not fetched, by the wish of their handler.
    """

    def __init__(self) -> None:
        self.at = 0.0
        self.held: set[TopicPartition] = set()

    def alive(self) -> None:
        """Called in the event loop: work goes on, or waits for a server that is away."""
        self.at = asyncio.get_running_loop().time()
