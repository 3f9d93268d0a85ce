"""Commands `retrace features verify` and `retrace features dataset`."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.features.generations import AsJson, group
from cli.features.output import print_proof, print_self_test
from cli.output import parse_moment, progress_shown

Begin = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Transactions from this event time on, RFC 3339."),
]
End = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Transactions before this event time.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="features", no_args_is_help=True)


@group.command()
def verify(
    begin: Begin = None,
    end: End = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Transactions that the naive reference recomputes.")
    ] = 50,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant differences in what is read; they must be found."),
    ] = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long projections may take to catch up.")
    ] = 900.0,
    as_json: AsJson = False,
) -> None:
    """Prove that every stored feature is what the log gives, bit for bit.

    Compared are the vectors in PostgreSQL, the streaming fold at every transaction, the online
    states in Redis, the vectors that decisions were served, Feast's historical read, and a sample
    with the naive reference. Exits with 1 where anything differs.
    """
    from operations.features.verify import VerificationOptions, Verifier
    from projections.verification.planting import Planted
    from runtime.composition.features import open_verification
    from runtime.settings import load_settings

    options = VerificationOptions(
        parse_moment("--from", begin), parse_moment("--to", end), sample, wait
    )
    planted = Planted() if self_test else None
    started = time.monotonic()
    with progress_shown() as (say, count), open_verification(load_settings()) as ports:
        proof = Verifier(ports, options, say, count, planted).run()
    seconds = time.monotonic() - started
    if planted is not None:
        sys.exit(print_self_test(proof, planted.made, as_json))
    print_proof(proof, seconds, as_json)
    sys.exit(1 if proof.different else 0)


@group.command()
def dataset(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Parquet file to write.")],
    begin: Begin = None,
    end: End = None,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            metavar="TIME",
            help="Use only what was known then, labels too.",
            show_default="now",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a training set: every feature of every transaction at its own time, and its label."""
    from domain.errors import InvalidInputError
    from host.clock import now_us
    from operations.features.export import export
    from runtime.composition.history import open_history
    from runtime.settings import load_settings

    if not out.parent.is_dir():
        raise InvalidInputError("--out", f"there is no folder {out.parent}")
    known = parse_moment("--as-known-at", as_known_at)
    started = time.monotonic()
    with progress_shown() as (say, count), open_history(load_settings()) as (_, history):
        made = export(
            history,
            out,
            now_us() if known is None else known,
            parse_moment("--from", begin),
            parse_moment("--to", end),
            say,
            count,
        )
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps({**made, "file": str(out), "seconds": seconds}))
        return
    print(
        f"{out}: {made['transactions']:,} transactions, {made['features']} features,"
        f" {made['fraud']:,} fraud and {made['genuine']:,} genuine labels, in {seconds} s"
    )
