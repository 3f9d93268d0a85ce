"""Options of all commands that read a file of transactions: how its rows are meant."""

from typing import Annotated

import typer

MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="FIELD=COLUMN", help="The column that holds a field. Repeatable."
    ),
]
MappingOption = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        metavar="FILE.yaml|NAME",
        help="How columns become fields: a file, or a mapping that `retrace mappings` lists.",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option("--label", metavar="COLUMN", help="Column with 1 for fraud and 0 for genuine."),
]
LabelDelayOption = Annotated[
    str,
    typer.Option(
        "--label-delay", metavar="SPAN", help="How long after its transaction a label is known."
    ),
]
UnlabelledOption = Annotated[
    list[str] | None,
    typer.Option(
        "--unlabelled",
        metavar="YYYY-MM",
        help="Month of payments whose labels are no labels yet, and left out. Repeatable.",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="NAME", help="Of its text, such as cp1252, where it is not UTF-8."
    ),
]
CurrencyOption = Annotated[
    str | None,
    typer.Option("--default-currency", metavar="CODE", help="Currency of rows that name none."),
]
