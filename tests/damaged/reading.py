"""Reading of a made file, held against what is known of its lines."""

from collections import Counter
from contextlib import closing
from pathlib import Path

from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow
from domain.errors import InvalidInputError
from tests.damaged.files import Made


def faults_of(made: Made, path: Path, counts: Counter[str] | None = None) -> list[str]:
    """What reading loses, invents or misreads; empty where the law holds."""
    path.write_bytes(made.content)
    counts = Counter() if counts is None else counts
    stated = made.encoding if made.encoding == "cp1252" else None
    found: dict[int, object] = {}
    faults: list[str] = []
    ended = ""
    try:
        with closing(open_rows(path, stated)) as source:
            for batch in source.batches():
                for line, row in batch:
                    if line in found:
                        faults.append(f"line {line} came twice")
                    found[line] = row
    except InvalidInputError as error:
        ended = str(error)
    counts["files"] += 1
    counts["rejected"] += sum(isinstance(row, MalformedRow) for row in found.values())
    counts["accepted"] += sum(isinstance(row, dict) for row in found.values())
    counts["cut"] += made.cut
    if made.cut != bool(ended):
        faults.append(f"ended with {ended!r}")
    if not made.cut and found.keys() != made.lines.keys():
        faults.append(f"lines lost or added: {sorted(found.keys() ^ made.lines.keys())}")
    last = max(found, default=0)
    # What stands behind the cut of an archive is not there to be counted.
    counts["lines"] += sum(not made.cut or number <= last for number in made.lines)
    if made.cut and {n for n in made.lines if n < last} - found.keys():
        faults.append("lines before the cut were lost")
    for number, given in found.items():
        known = made.lines.get(number)
        at_cut = made.cut and number == last
        if known is None:
            faults.append(f"line {number} is not in the file")
        elif known.row is not None and given != known.row and not at_cut:
            faults.append(f"line {number} was read as {given}")
        elif at_cut and isinstance(given, dict) and given != known.row is not None:
            faults.append(f"the line of the cut was taken as {given}")
    return [f"{made.what}: {fault}" for fault in faults]
