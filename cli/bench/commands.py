"""`retrace bench`: the running product on this machine, beside floors of the same run."""

import typer

from cli.bench.ingest import ingest
from cli.bench.score import score
from cli.bench.shares import shares
from cli.bench.stream import stream

group = typer.Typer(help="Measure the running product on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands to `retrace`."""
    app.add_typer(group, name="bench")


group.command()(score)
group.command()(ingest)
group.command()(stream)
group.command()(shares)
