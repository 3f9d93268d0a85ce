"""Planted bugs in the index of ids: its files, its making from the archive, and what it recalls."""

from tests.mutation.planted import LOG, Planted

_ANEW = ("hosts-without-a-disk",)

INDEX_BUGS = (
    Planted(
        "an id whose place alone is known is taken for new",
        f"{LOG}/index/id_index.py",
        "        return self._places[partition].of(name_of(transaction_id)) or None\n",
        "        return None\n",
        ("hosts-without-a-disk", "power-loss"),
    ),
    Planted(
        "what is said of an id that is not at hand is passed over",
        f"{LOG}/index/id_index.py",
        "            self._add(found[0], partition, offset, entry_of(offset, found[1]))\n",
        "            pass\n",
        ("hosts-without-a-disk", "power-loss", "mixed"),
    ),
    Planted(
        "the last entry before a position is not kept",
        f"{LOG}/index/keeping.py",
        "for at, name, entry in unkept if at <= offset]",
        "for at, name, entry in unkept if at < offset]",
        ("calm", "mixed"),
    ),
    Planted(
        "a block that is not whole is taken up",
        f"{LOG}/index/blocks.py",
        "        if _CHECK.unpack_from(held, at + body)[0] != check:\n            return\n",
        "",
        ("power-loss",),
    ),
    Planted(
        "an archive of another log is gone on from",
        f"{LOG}/index/opening.py",
        "        if wrong := self._another_log(partition, found.reached):\n",
        '        if wrong := "":\n',
        ("archive-of-another-log",),
    ),
    Planted(
        "an entry of the archive is lost",
        f"{LOG}/index/opening.py",
        "        return Opened(found.entries, found.reached, whole=True)\n",
        "        names, entries = found.entries\n"
        "        return Opened((names[1:], entries[1:]), found.reached, whole=True)\n",
        _ANEW,
    ),
    Planted(
        "a log whose beginning is deleted is read from where it begins",
        f"{LOG}/index/opening.py",
        "        if opened is None:\n            raise LogUnavailableError(",
        "        if opened is None:\n            return Opened(EMPTY, Reached(first))\n"
        "            raise LogUnavailableError(",
        ("hosts-without-a-disk",),
    ),
    Planted(
        "what the log has no more is not looked for in the archive",
        f"{LOG}/ledger/records.py",
        "            return [self._archived.record(partition, offset)]\n",
        "            raise\n",
        ("hosts-without-a-disk",),
    ),
)
