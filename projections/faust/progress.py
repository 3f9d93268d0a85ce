"""Progress of a worker, as its watchdog sees it."""

import asyncio


class Progress:
    """`at`: when the worker last got on, in seconds of its event loop."""

    def __init__(self) -> None:
        self.at = 0.0

    def alive(self) -> None:
        """Called in the event loop: work goes on, though a batch may take long."""
        self.at = asyncio.get_running_loop().time()
