"""`retrace demo`: history, training and live traffic. What it does is in local/demo."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.file_options import EncodingOption, LabelDelayOption, LabelOption, MapOption, MappingOption

_INTERRUPTED = 130


def demo(
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the API.", show_default="8000")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long live traffic is sent.")] = 30.0,
    rate: Annotated[
        float, typer.Option(min=1, max=2000, help="Live transactions per second.")
    ] = 60.0,
    days: Annotated[
        int | None,
        typer.Option(min=14, max=720, help="Days of simulated history.", show_default="90"),
    ] = None,
    default_policy: Annotated[
        bool,
        typer.Option("--default-policy", help="Publish the policy that ships before live traffic."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Use this file: its last rows are sent as live traffic, the others are history.",
        ),
    ] = None,
    mapping: MapOption = None,
    mapping_file: MappingOption = None,
    label: LabelOption = None,
    label_delay: LabelDelayOption = "7d",
    encoding: EncodingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Start the stack, import history, train a model, and decide live traffic on the screen."""
    from rich.console import Console

    from local.demo.plan import DemoRequest
    from local.demo.run import run_demo
    from local.demo.summary import print_summary, to_json
    from operations.log.imports import ImportOptions

    if data is None and (mapping or mapping_file or label or encoding):
        raise typer.BadParameter(
            "--map, --mapping, --label and --encoding are for --data FILE: give it too"
        )
    read = None
    if data is not None:
        read = ImportOptions(
            file=data,
            mapping=mapping or (),
            mapping_file=mapping_file,
            label=label,
            label_delay=label_delay,
            encoding=encoding,
        )
    request = DemoRequest(days, seconds, rate, read, default_policy)
    console = Console(stderr=True)
    given = {"api_port": port} if port else {}
    try:
        outcome, settings = run_demo(request, console, **given)
    except KeyboardInterrupt:
        console.print("Interrupted. Run `./retrace demo` again to continue.", highlight=False)
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(to_json(outcome)))
    else:
        print_summary(Console(), outcome, settings)
    if not outcome.reconciliation.balanced:
        raise typer.Exit(1)
