"""Text of a proposal as a YAML file: each part under its reason, and lines to fill in."""

import textwrap
from typing import Any

import msgspec

from commands.imports.inspection.proposal import Proposal
from commands.imports.mapping.yaml_file import FILL_IN, as_yaml, plain_fields, shipped_text

_WIDTH = 79


def proposal_text(proposal: Proposal) -> str:
    """What `parse_mapping` reads as the proposed mapping; it refuses lines not yet filled in."""
    notes = [f"To check: {each}" for each in proposal.missing]
    if proposal.shipped:
        notes.insert(0, proposal.reasons["mapping"])
        return _comment(notes) + shipped_text(proposal.shipped)
    if proposal.questions:
        notes.insert(0, f"Proposed. Write what is asked for in place of each {FILL_IN}.")
    made = plain_fields(msgspec.to_builtins(proposal.mapping))
    reasons = {name: [reason] for name, reason in proposal.reasons.items()}
    for question in proposal.questions:
        _put(made, question.path, question.value)
        reasons.setdefault(question.path[-1 if len(question.path) < 2 else 1], []).append(
            f"{FILL_IN}: {question.reason}"
        )
    fields: dict[str, Any] = made.pop("fields", {})
    lines = [_comment(notes), "fields:\n"]
    for name, field in fields.items():
        lines.append(_comment(reasons.get(name, ()), "  "))
        lines.append(textwrap.indent(as_yaml({name: field}), "  "))
    for name, value in made.items():
        lines.append(_comment(reasons.get(name, ())))
        lines.append(as_yaml({name: value}))
    return "".join(lines)


def _put(made: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        inner = made.setdefault(key, {})
        if isinstance(inner, str):
            inner = made[key] = {"column": inner}
        made = inner
    made[path[-1]] = value


def _comment(texts: Any, indent: str = "") -> str:
    begin, next_line = f"{indent}# ", f"{indent}#   "
    return "".join(
        textwrap.fill(
            text, _WIDTH, initial_indent=begin, subsequent_indent=next_line,
            break_long_words=False, break_on_hyphens=False,
        ) + "\n"
        for text in texts
    )  # fmt: skip
