"""UncleanError: one value cannot be cleaned; the caller adds the name of its field."""


class UncleanError(ValueError):
    """The text says what was expected and never repeats the value: it may be a card number."""
