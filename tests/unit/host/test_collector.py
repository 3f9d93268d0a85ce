"""The garbage collector of a process that is settled."""

import subprocess
import sys

_PROGRAM = """
import gc, json, email, asyncio, logging.config
from host.collector import settle
old = [{"made": []}]
before = len(gc.get_objects())
settle()
print(before, sum(each is old for each in gc.get_objects()), len(gc.get_objects()))
"""


def test_what_was_there_is_walked_no_more() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True
    )
    before, held, after = map(int, found.stdout.split())
    assert before > 10_000
    assert held == 0
    assert after < before / 10
