"""Import of a file into the log: from the operator's options to the rows that were appended."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.imports.label_months import parse_months
from commands.imports.mapping.binding import bind
from commands.imports.mapping.damage import damaged_fields
from commands.imports.mapping.labels import check_labels
from commands.imports.mapping.merge import MergedRows, merging, second_files
from commands.imports.mapping.model import FileMapping
from commands.imports.mapping.plain import with_options
from commands.imports.mapping.yaml_file import OPTION, load_mapping
from commands.imports.origin import correlation_of, name_of
from commands.imports.readers.files.parts import as_file
from commands.imports.readers.json.lines import list_within
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, Row, RowSource, UpToDamage
from commands.imports.rejects import Reject, RejectSink, rejects_path_of
from commands.imports.summary import ImportSummary
from domain.durations import parse_duration
from domain.errors import InvalidInputError, NotFoundError, UndecodableError
from eventlog.codec import decode
from eventlog.dead_letters import DeadRecord, dead_letter_event
from eventlog.port import Appender, Position, Recorded
from eventlog.topics import DEAD_LETTERS, TRANSACTIONS

_CLOSING_SECONDS = 10.0
_TRIED_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """As the operator gives them; `rejects` is the file for rejected rows.

    `file` may be a folder, a pattern or `-` for stdin; `encoding` is that of its text.
    `mapping_file` is a YAML file or the name of a shipped mapping; entries of `mapping`, and
    `label`, count more. Labels of payments in the months `unlabelled` are left out.
    """

    file: Path
    mapping: Sequence[str] = ()
    mapping_file: str | None = None
    label: str | None = None
    label_delay: str = "7d"
    score: bool = False
    rejects: Path | None = None
    limit: int | None = None
    encoding: str | None = None
    unlabelled: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OpenedImport:
    command: ImportRows
    rows: RowSource
    rejects_path: Path


@contextmanager
def opened_import(options: ImportOptions) -> Iterator[OpenedImport]:
    """The file, open, with its columns bound. Raises InvalidInputError naming the option."""
    delay = parse_duration(options.label_delay, "--label-delay")
    unlabelled = parse_months(options.unlabelled, "--unlabelled")
    given = options.mapping_file
    mapping = with_options(
        load_mapping(given) if given else FileMapping(), options.mapping, options.label
    )
    with (
        second_files(mapping, options.file, options.encoding) as seconds,
        as_file(options.file) as file,
        ExitStack() as stack,
    ):

        def opened() -> RowSource:
            return merging(lambda: open_rows(file, options.encoding), seconds)

        def again() -> RowSource:
            return UpToDamage(opened())

        rows = stack.enter_context(closing(opened()))

        try:
            binding = bind(rows.columns, mapping, OPTION if given else "--map")
        except InvalidInputError:
            with closing(again()) as sample:
                refuse_without_rows(next(sample.batches(), []), name_of(file))
            raise
        if binding.label is not None:
            option = OPTION if given and not options.label else "--label"
            with closing(again()) as whole:
                check_labels(whole, binding.label, option, options.limit, mapping.quotes)
        with closing(again()) as sample:
            damaged = damaged_fields(next(sample.batches(), []), binding)
        command = ImportRows(
            name=name_of(file),
            correlation_id=correlation_of(file),
            binding=binding,
            label_delay=delay,
            score=options.score,
            limit=options.limit,
            again=again,
            damaged=damaged,
            unlabelled=unlabelled,
        )
        yield OpenedImport(command, rows, rejects_path_of(options.file, options.rejects))


def refuse_without_rows(sample: Iterable[tuple[int, Row]], name: str) -> None:
    """Raises InvalidInputError where no row can be read, or one object holds all of them."""
    given = list(islice(sample, _TRIED_ROWS))
    told = None
    if not given:
        told = "holds no rows"
    elif len(given) == 1 and (member := list_within(given[0][1])):
        told = f"is one object with its rows in the list {member!r}: give that list alone"
    elif all(isinstance(row, MalformedRow) for _, row in given):
        line, row = given[0]
        told = f"holds no row that can be read: line {line} {getattr(row, 'reason', '')}"
    if told:
        raise InvalidInputError("FILE", f"{name} {told}")


def run_import(opened: OpenedImport, ports: ImportPorts, summary: ImportSummary) -> bool:
    """True if Ctrl-C ended it: what `summary` counts as accepted is then in the log.

    Raises as `import_rows`. Running it again adds only what is missing.
    """
    # Rows hold no reference cycles: searching for them again and again takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        import_rows(opened.command, opened.rows, ports, summary)
    except KeyboardInterrupt:
        summary.rows = summary.accepted + summary.rejected
        ports.log.flush(_CLOSING_SECONDS)
        return True
    finally:
        if isinstance(opened.rows, MergedRows):
            for name, count in opened.rows.unmatched.items():
                if count:
                    summary.notes[f"rows whose id is not in {name}"] = count
    return False


def newest_known(
    ends: Sequence[int], read_one: Callable[[Position], Recorded], correlation_id: str
) -> int | None:
    """The greatest known time at the ends of TRANSACTIONS, in microseconds; None for an empty log.

    What the same file gave is left out: importing it again adds nothing. Raises LogUnavailableError
    """
    known = []
    for partition, end in enumerate(ends):
        try:
            last = decode(read_one(Position(TRANSACTIONS.name, partition, end - 1)).value)
        except (NotFoundError, UndecodableError):
            continue
        if last.correlation_id != correlation_id:
            known.append(last.known_time)
    return max(known, default=None)


def with_dead_letters(
    write: RejectSink, log: Appender, key: bytes, origin: str, clock: Callable[[], int]
) -> RejectSink:
    """A sink that writes each rejected row and also appends it as a dead letter."""

    def reject(found: Reject) -> None:
        write(found)
        record = DeadRecord(
            reader="import",
            origin=origin,
            partition=0,
            offset=found.line,
            reason=found.reason,
            original=found.original.encode("utf-8", "replace"),
            field=found.field,
        )
        log.append_nowait(DEAD_LETTERS, None, dead_letter_event(record, key, clock()))

    return reject
