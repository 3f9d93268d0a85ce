"""`retrace models list` and `show`: the models of the log."""

import json
from typing import Any

from cli.models.group import AsJson, Named, cell, group
from cli.output import print_table


def register() -> None:
    """Adds the commands to `retrace models`."""
    group.command("list")(list_models)
    group.command("show")(show_model)


def list_models(as_json: AsJson = False) -> None:
    """Every model of the log, the oldest first."""
    from operations.models.listing import all_facts
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        facts = all_facts(models)
    if as_json:
        print(json.dumps(facts))
        return
    titles = ["MODEL", "HASH", "STATE", "KNOWN ON", "PAYMENTS", "FRAUD", "AP"]
    print_table([_row(each) for each in facts], titles)


def show_model(model: Named, as_json: AsJson = False) -> None:
    """What a model is made of, how it was trained, and how good it was."""
    from operations.models.listing import facts_of
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        facts = facts_of(models, model)
    if as_json:
        print(json.dumps(facts))
        return
    shown = {**facts, **facts.pop("facts")}
    shown |= shown.pop("metrics", {}) | {"features": ", ".join(shown["features"])}
    print_table([[name, cell(value)] for name, value in shown.items()], ["WHAT", "VALUE"])


def _row(facts: dict[str, Any]) -> list[str]:
    return [
        facts["model_id"],
        facts["model_hash"][:12],
        facts["state"],
        (facts["as_known_at"] or "-").partition("T")[0],
        *(cell(facts[name]) for name in ("transactions", "frauds", "average_precision")),
    ]
