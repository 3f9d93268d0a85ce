"""`retrace bench`: the running product on this machine, beside floors of the same run."""

import typer

from cli.bench.score import score

group = typer.Typer(help="Measure the running product on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands to `retrace`."""
    app.add_typer(group, name="bench")


group.command()(score)
