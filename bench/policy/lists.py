"""Benchmark of lists: memory and time of a million entries, and of a comparison of names.

    python -m bench.policy.lists

The floor of a look-up is that of a Python dictionary, whose memory is given as well. Times are of
this process's processor, for others use the machine too. Needs no server.
"""

import random
import sys
import time
from collections.abc import Callable

from bench.machine import write
from commands.policy.lists.change import ChangeList, change_list
from commands.policy.topic import current_policy
from domain.events import ListEntry, ListKind
from domain.policy.lists.published import PublishedList
from eventlog.in_memory import InMemoryEventLog

ENTRIES, LOOKUPS, NAMES, COMPARED = 1_000_000, 20_000, 40_000, 200
WORDS = 8_000


def seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def published(entries: list[ListEntry], of: ListKind) -> tuple[PublishedList, float, float]:
    """The list, and the seconds of its import and of a process that reads it."""
    log = InMemoryEventLog()
    command = ChangeList(
        name="listed", of=of, change="replace", entries=entries, reason="", by="bench"
    )
    importing = seconds(lambda: change_list(log, command, 1))
    found: list[PublishedList] = []
    reading = seconds(lambda: found.append(current_policy(log).lists.in_force["listed"]))
    log.close()
    return found[0], importing, reading


def microseconds(call: Callable[[str], object], texts: list[str]) -> float:
    """The least of some means."""
    means = [seconds(lambda: [call(text) for text in texts]) / len(texts) for _ in range(5)]
    return round(min(means) * 1e6, 2)


def names(draw: random.Random) -> list[str]:
    """Of two to four words, the n-th most frequent word n times rarer than the first."""

    def word() -> str:
        syllables = range(draw.choice((2, 3, 4)))
        return "".join(draw.choice("bdfghjklmnprstvz") + draw.choice("aeiou") for _ in syllables)

    words = [word() for _ in range(WORDS)]
    weights = [1 / n for n in range(1, WORDS + 1)]
    return [" ".join(draw.choices(words, weights, k=draw.choice((2, 3, 4)))) for _ in range(NAMES)]


def main() -> None:
    draw = random.Random(1)
    texts = [f"tok_{draw.getrandbits(128):032x}" for _ in range(ENTRIES)]
    found, importing, reading = published([ListEntry(text) for text in texts], "card")
    sought = draw.sample(texts, LOOKUPS)
    missing = [f"{text}x" for text in sought]
    ends = dict.fromkeys(texts, 2**63 - 1)
    in_dictionary = sys.getsizeof(ends) + sum(map(sys.getsizeof, texts))
    people = names(draw)
    named, _, reading_names = published([ListEntry(name) for name in people], "name")
    asked = [name.replace("e", "i", 1) for name in draw.sample(people, COMPARED)]
    write(
        "lists",
        {
            "entries": ENTRIES,
            "bytes_each": (len(found.keys.base) + len(found.keys.changes)) / ENTRIES,
            "dictionary_bytes_each": round(in_dictionary / ENTRIES),
            "hit_us": microseconds(lambda text: found.match(text, 1), sought),
            "miss_us": microseconds(lambda text: found.match(text, 1), missing),
            "floor_us": microseconds(ends.get, sought),
            "import_s": round(importing, 1),
            "read_s": round(reading, 1),
            "names": NAMES,
            "name_us": microseconds(lambda text: named.match(text, 1), asked),
            "read_names_s": round(reading_names, 1),
        },
    )


if __name__ == "__main__":
    main()
