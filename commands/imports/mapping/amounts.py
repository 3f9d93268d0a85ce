"""Decimal sign of a column of amounts, proven from the whole file."""

from commands.imports.mapping.binding import Binding
from commands.imports.mapping.values import unquoted
from commands.imports.readers.rows import MalformedRow, RowSource
from domain.money import AmountStyle, decimal_sign

ROUNDED = "amounts rounded to the decimals of their currency"


def proven_style(rows: RowSource, binding: Binding) -> AmountStyle:
    """The stated style with the sign that some amount proves and none contradicts."""
    column, quotes, style = binding.column("amount"), binding.quotes, binding.style
    found: set[str] = set()
    for batch in rows.batches():
        for _, row in batch:
            if isinstance(row, MalformedRow):
                continue
            text = unquoted(row.get(column), quotes)
            if isinstance(text, str) and (sign := decimal_sign(text)) is not None:
                found.add(sign)
        if len(found) > 1:
            return style
    return style._replace(decimal=found.pop()) if found else style
