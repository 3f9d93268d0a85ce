"""Mappings as YAML: read with errors that name file and key, written, and those that ship."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from commands.imports.mapping.checks import check_field, check_mapping
from commands.imports.mapping.model import FieldMapping, FileMapping
from domain.cleaning.transaction import CANONICAL_FIELDS
from domain.errors import InvalidInputError

OPTION = "--mapping"
FILL_IN = "FILL_IN"
"""Stands in a proposed mapping where only a person can tell."""
_SHIPPED = Path(__file__).parent / "shipped"
_T = TypeVar("_T")


def load_mapping(given: str) -> FileMapping:
    """The mapping of a file, or the shipped one of that name. Raises InvalidInputError."""
    path = Path(given)
    if given in shipped_names() and not path.is_file():
        path = _SHIPPED / f"{given}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(shipped_names())
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise InvalidInputError(
            OPTION, f"{given} cannot be read ({reason}): name a YAML file, or one of {names}"
        ) from None
    return parse_mapping(text, given)


def shipped_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.yaml")))


def shipped_text(name: str) -> str:
    """The YAML of a shipped mapping, with its comments. Raises InvalidInputError."""
    if name not in shipped_names():
        raise InvalidInputError("NAME", f"no mapping {name!r} ships: {', '.join(shipped_names())}")
    return (_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def parse_mapping(text: str, source: str) -> FileMapping:
    """`source` names the file in errors. Raises InvalidInputError naming file and key."""
    made = _parsed(text, source)
    if (open_key := _first_open(made)) is not None:
        raise _wrong(source, open_key, f"still says {FILL_IN}: the comment above it tells what")
    if not isinstance(made, dict):
        raise _wrong(source, "", "expected keys such as fields and label")
    fields = made.pop("fields", {})
    if not isinstance(fields, dict):
        raise _wrong(source, "fields", "expected one entry for each field")
    mapping = msgspec.structs.replace(
        _converted(made, FileMapping, source, ""),
        fields={name: _field(name, value, source) for name, value in fields.items()},
    )
    try:
        check_mapping(mapping)
    except ValueError as error:
        raise _wrong(source, "", str(error)) from None
    return mapping


def mapping_text(mapping: FileMapping) -> str:
    """YAML that `parse_mapping` reads as an equal mapping; a field of one column is one line."""
    return as_yaml(plain_fields(msgspec.to_builtins(mapping)))


def plain_fields(made: dict[str, Any]) -> dict[str, Any]:
    """A mapping as built-in types, a field of one column alone as its name."""
    fields = {
        name: field["column"] if set(field) == {"column"} else field
        for name, field in made.get("fields", {}).items()
    }
    return {**made, "fields": fields}


def as_yaml(made: dict[str, Any]) -> str:
    import yaml  # type: ignore[import-untyped, unused-ignore]

    text: str = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=79)
    return text


def _first_open(made: object) -> str | None:
    """The key of the first value that is still to be filled in."""
    if made == FILL_IN:
        return ""
    pairs = made.items() if isinstance(made, dict) else enumerate(made) if isinstance(
        made, list) else ()  # fmt: skip
    for key, value in pairs:
        if (inner := _first_open(value)) is not None:
            return f"{key}.{inner}".rstrip(".")
    return None


def _field(name: str, value: object, source: str) -> FieldMapping:
    key = f"fields.{name}"
    if name not in CANONICAL_FIELDS:
        raise _wrong(source, key, f"is not a field; possible are {', '.join(CANONICAL_FIELDS)}")
    field = (
        FieldMapping(column=value)
        if isinstance(value, str)
        else _converted(value, FieldMapping, source, key)
    )
    try:
        check_field(name, field)
    except ValueError as error:
        raise _wrong(source, key, str(error)) from None
    return field


def _converted(value: object, kind: type[_T], source: str, key: str) -> _T:
    try:
        # Every scalar came as text, so that no and NA stay what was written.
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        inner = place.rstrip("`").lstrip(".")
        raise _wrong(source, ".".join(part for part in (key, inner) if part), reason) from None


def _parsed(text: str, source: str) -> object:
    import yaml

    class Loader(yaml.BaseLoader):  # type: ignore[misc, unused-ignore]
        """Scalars stay text; a key that is given twice is refused."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for at, key in enumerate(keys):
                if not isinstance(key, str) or key in keys[:at]:
                    problem = f"the key {key!r} is given twice or is no text"
                    raise yaml.constructor.ConstructorError(
                        problem=problem, problem_mark=node.start_mark
                    )
            made: dict[Any, Any] = super().construct_mapping(node, deep)
            return made

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark is not None else ""
        raise _wrong(
            source, place, f"is not YAML: {getattr(error, 'problem', None) or error}"
        ) from None


def _wrong(source: str, key: str, reason: str) -> InvalidInputError:
    return InvalidInputError(OPTION, ": ".join(part for part in (source, key, reason) if part))
