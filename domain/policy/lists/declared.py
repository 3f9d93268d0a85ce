"""Declarations of lists: what one must be."""

import re
from typing import get_args

from domain.events.lists import DeclaredList, ListKind, ListPurpose

KINDS: tuple[ListKind, ...] = get_args(ListKind)
PURPOSES: tuple[ListPurpose, ...] = get_args(ListPurpose)
OF_ATTRIBUTES: tuple[ListKind, ...] = ("email_domain", "name")
"""No field of a transaction holds these: the list names the attribute that does."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def faults_of_list(declared: DeclaredList) -> list[tuple[str, str]]:
    """(field, what is wrong with it)."""
    needs = declared.of in OF_ATTRIBUTES
    checks = [
        ("name", bool(_NAME.fullmatch(declared.name)), "expected a-z, 0-9 and _, at most 64"),
        ("of", declared.of in KINDS, f"expected one of {', '.join(KINDS)}"),
        ("purpose", declared.purpose in PURPOSES, f"expected one of {', '.join(PURPOSES)}"),
        ("owner", bool(declared.owner.strip()), "expected who answers for the list"),
        (
            "attribute",
            bool(declared.attribute) == needs,
            f"is for lists of {' and '.join(OF_ATTRIBUTES)}, and for no other",
        ),
    ]
    return [(name, text) for name, holds, text in checks if not holds]
