"""Every kind of error in Retrace; api/errors.py maps kinds to HTTP statuses.

RetraceError
├── InvalidInputError           a field is wrong: names the field and what is expected
│   ├── InvalidTransactionError a transaction cannot be cleaned: names every bad field
│   ├── MalformedPayloadError   a payload is no JSON object (commands/intake/payload.py)
│   └── BodyTooLargeError       a request body is too large (api/body.py)
├── NotFoundError               no such transaction, decision, alert ...
├── ConflictError               the same id was used for other content
├── UnavailableError            a server that is needed does not answer
│   ├── LogUnavailableError     Kafka: nothing can be decided; a retry under the same id is safe
│   ├── NotOwnedError           another process answers for this transaction id
│   └── OverloadedError         more decisions than fit (api/serving/gate.py)
├── UnverifiedError             a webhook is not by the secret that it should be
├── FencedError                 another worker writes, or the store is not what we left: stop
├── UndecodableError            a stored record cannot be read: dead-letter it
│   └── UnfoldableError         an event cannot be projected (projections/ports.py)
├── SettingsError               a setting is missing or wrong
├── IntegrityError              stored content does not match its hash, checksum or version
├── DeclarationError            a feature is declared wrongly (domain/features/declarations)
├── StackError                  a local server cannot be started or stopped (local/stack)
└── CommandFailedError          a command of the demo failed (local/demo)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class RetraceError(Exception):
    """Base of all errors that Retrace raises on purpose; the text is fit for its user."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Between processes too: most kinds are made of more than their text.
        return _again, (type(self), self.args, self.__dict__)


def explain(error: BaseException) -> str:
    """One line: the message of a RetraceError; type and message of any other error."""
    return str(error) if isinstance(error, RetraceError) else f"{type(error).__name__}: {error}"


def _again(kind: type[RetraceError], args: tuple[Any, ...], state: dict[str, Any]) -> RetraceError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInputError(RetraceError):
    """`field` is the canonical field name (dotted for nested ones)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, without its value: that may be a card number."""

    field: str
    message: str


class InvalidTransactionError(InvalidInputError):
    """`errors` names every bad field, in canonical order; `field` and `message` are the first's."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].field, errors[0].message)
        self.args = ("; ".join(f"{error.field}: {error.message}" for error in errors),)
        self.errors = list(errors)


class NotFoundError(RetraceError):
    """Nothing of that kind has that id."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} with id {key!r}")
        self.kind = kind
        self.key = key


class ConflictError(RetraceError):
    """The id is taken by other content; what was recorded first stays."""

    def __init__(self, transaction_id: str, message: str) -> None:
        super().__init__(message)
        self.transaction_id = transaction_id


class UnavailableError(RetraceError):
    """`server` did not answer; `retry_after` is in seconds."""

    def __init__(self, server: str, message: str, retry_after: int = 1) -> None:
        super().__init__(f"{server}: {message}")
        self.server = server
        self.retry_after = retry_after


class LogUnavailableError(UnavailableError):
    """An append or read of the log failed or is in doubt; a retry under the same id is safe."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__("kafka", message, retry_after)


class NotOwnedError(UnavailableError):
    """Another process answers for this transaction id, or nobody while it changes hands."""

    def __init__(self, transaction_id: str) -> None:
        super().__init__(
            "api", f"transaction {transaction_id!r} is changing hands; retry under the same id"
        )


class UnverifiedError(RetraceError):
    """Who sends it has not proved to know the secret; the text names none."""


class FencedError(RetraceError):
    """Another worker writes, or the store is not what was left: what is not committed is void."""


class UndecodableError(RetraceError):
    """The bytes are not an event that this version knows how to read."""


class SettingsError(RetraceError):
    """A setting is missing or wrong; the text names it and tells what to do."""


class IntegrityError(RetraceError):
    """Stored content differs from what its hash, checksum or version promises."""
