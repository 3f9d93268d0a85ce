"""What conditions may use of the language: what gives the same result on every road.

Integers are compared, and made doubles by `double(...)`; they are not computed with, so that no
condition fails on a row. A list holds constants.
"""

from domain.policy.rules.tree import Call, Listed, Literal, Node, Other, walk

COMPARED = ("less", "less_equals", "greater", "greater_equals")
ALLOWED = frozenset(
    {
        *("logical_and", "logical_or", "logical_not", "conditional", "equals", "not_equals"),
        *(f"{sign}_{kind}" for sign in COMPARED for kind in ("double", "int64", "string")),
        *(f"{sign}_double" for sign in ("add", "subtract", "multiply", "divide", "negate")),
        *("int64_to_double", "in_list"),
        *("starts_with_string", "ends_with_string", "contains_string"),
    }
)
"""Names of overloads, as CEL's checker gives them."""


def refused(tree: Node) -> str | None:
    """What a rule may not use, in words; None where there is nothing."""
    for node in walk(tree):
        if isinstance(node, Other):
            return f"rules do not use {node.what}"
        if isinstance(node, Call) and node.overload not in ALLOWED:
            hint = "; write double(...) around integers" if node.overload.endswith("_int64") else ""
            return f"rules do not use {node.overload}{hint}"
        if isinstance(node, Call):
            for place, each in enumerate(node.arguments):
                if not isinstance(each, Listed):
                    continue
                if node.overload != "in_list" or place != 1:
                    return "a list stands on the right of `in` alone"
                if not all(isinstance(item, Literal) for item in each.items):
                    return "a list holds constants alone"
    return "a condition is no list" if isinstance(tree, Listed) else None
