"""Options that the benchmarks of the running product have in common."""

from typing import Annotated

import typer

Rates = Annotated[
    list[float] | None,
    typer.Option(min=1, max=5000, help="Requests per second. Repeatable. [default: 10, 50]"),
]
RATES = [10.0, 50.0]
RoundSeconds = Annotated[float, typer.Option(min=1, help="Length of a round.")]
WarmUp = Annotated[
    float, typer.Option(min=0, help="Seconds of load before each round, not counted.")
]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds at each rate.")]
History = Annotated[
    int, typer.Option(min=1, max=720, help="Days of history, a thousand payments each.")
]
Result = Annotated[str, typer.Option(help="Name of the file under bench/results.")]
Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the state folder and its logs at the end.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
