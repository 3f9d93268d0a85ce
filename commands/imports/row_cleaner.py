"""Cleaning of a file's rows: by its mapping, its words, and the decimal sign that it proves."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from commands.imports.mapping.amounts import proven_style
from commands.imports.mapping.binding import Binding
from commands.imports.readers.rows import RowSource
from commands.intake.cleaner import PayloadCleaner
from domain.errors import FieldError, InvalidTransactionError
from domain.money import AMBIGUOUS, AmountStyle
from domain.transactions import Transaction


class RowCleaner:
    """`again` opens the file once more, for what only its whole can tell.

    `style` is how amounts are written, as far as it is known; what the file proves of it counts
    from the row on that needed it.
    """

    def __init__(
        self, binding: Binding, cleaner: PayloadCleaner, again: Callable[[], RowSource] | None
    ) -> None:
        self._binding, self._cleaner, self._again = binding, cleaner, again
        self.style: AmountStyle = binding.style
        self.words = binding.words(cleaner.words)
        self._proven = False

    def clean(self, payload: Mapping[str, Any], now: int) -> Transaction:
        """`payload` as the binding made it. Raises InvalidTransactionError."""
        try:
            return self._cleaner.clean(payload, now, self.style, self.words)
        except InvalidTransactionError as error:
            again = self._again
            if self.style.decimal or again is None or not any(map(_ambiguous, error.errors)):
                raise
            if not self._proven:
                self._proven = True
                with closing(again()) as rows:
                    self.style = proven_style(rows, self._binding)
            return self._cleaner.clean(payload, now, self.style, self.words)


def _ambiguous(error: FieldError) -> bool:
    return error.field == "amount" and error.message == AMBIGUOUS
