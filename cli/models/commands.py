"""Owns `retrace models`: which there are, how they compare, and which of them decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_table

if TYPE_CHECKING:
    from commands.models.registry import Registered
    from operations.models.lifecycle import Models

group = typer.Typer(help="List, compare, promote, roll out, roll back and retire models.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Named = Annotated[str, typer.Argument(help="Id of a model, or the beginning of its hash.")]
_MEASURED = ("auc", "average_precision", "recall_declined", "recall_reviewed")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="models", no_args_is_help=True)


@group.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Every model of the log, the oldest first."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        facts = [_facts(models, model) for model in models.registry.all()]
    if as_json:
        print(json.dumps(facts))
        return
    titles = ["MODEL", "HASH", "STATE", "KNOWN ON", "PAYMENTS", "FRAUD", "AP"]
    print_table([_row(each) for each in facts], titles)


@group.command("show")
def show_model(model: Named, as_json: AsJson = False) -> None:
    """What a model is made of, how it was trained, and how good it was."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        found = models.registry.find(model)
        facts = _facts(models, found)
        manifest = models.manifest(found)
        facts |= {"features": manifest.signature, "facts": manifest.facts}
    if as_json:
        print(json.dumps(facts))
        return
    told = {**facts, **facts.pop("facts")}
    told |= told.pop("metrics", {}) | {"features": ", ".join(told["features"])}
    print_table([[name, _said(value)] for name, value in told.items()], ["WHAT", "VALUE"])


@group.command()
def compare(
    champion: Named,
    challenger: Named,
    live: Annotated[
        bool, typer.Option("--live", help="On transactions that both have scored.")
    ] = False,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="With --live: from this event time on.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="TIME", help="With --live: before this event time.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Two models side by side: as measured when trained, or on what both scored live."""
    from cli.models.live import live as compared
    from cli.models.live import show_live
    from domain.errors import InvalidInputError
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if live:
        report = compared(champion, challenger, since, until)
        print(json.dumps(report)) if as_json else show_live(report)
        return
    if since or until:
        raise InvalidInputError("--from/--to", "what was measured at training has no range: --live")
    with open_models(load_settings()) as models:
        both = [models.manifest(models.registry.find(n)) for n in (champion, challenger)]
    facts = {each.model_id: each.facts for each in both}
    if as_json:
        print(json.dumps(facts))
        return
    names = ("as_known_at", "transactions", "frauds", "validated_from")
    rows = [[name, *(_said(each.facts.get(name)) for each in both)] for name in names]
    rows += [[n, *(_said(each.facts["metrics"].get(n)) for each in both)] for n in _MEASURED]
    print_table(rows, ["", *(each.model_id for each in both)])


@group.command("register")
def register_model(model: Named, as_json: AsJson = False) -> None:
    """Make a model known to the log that was trained without one (scripts/retrain_model.py)."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _tell(models.register(model), "is registered", as_json)


@group.command()
def promote(model: Named, as_json: AsJson = False) -> None:
    """Put a model in force, everywhere, from one position of the log on."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _tell(models.promote(model), "is in force", as_json)


@group.command()
def rollback(
    to: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Back to this one; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take the last promotion back: the model before it is in force again."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _tell(models.rollback(to), "is in force again", as_json)


@group.command("roll-out")
def roll_out(
    model: Annotated[str, typer.Argument(help="Id or hash; left out with --stop.")] = "",
    share: Annotated[str, typer.Option(metavar="PERCENT", help="Of traffic: 5%, 0.5%.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="The model in force decides all.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a challenger decide a share of traffic, by a hash of the transaction's id."""
    from domain.errors import InvalidInputError
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if stop == bool(model and share):
        raise InvalidInputError("roll-out", "give a model and --share, or --stop alone")
    part = 0 if stop else basis_points(share)
    with open_models(load_settings()) as models:
        if stop:
            _tell(models.end_roll_out(), "decides nothing any more", as_json)
        else:
            _tell(models.roll_out(model, part), f"decides {part / 100:g} % of traffic", as_json)


@group.command("shadow")
def shadow_model(
    model: Named,
    since: Annotated[
        str,
        typer.Option("--from", metavar="TIME", help="Score history first, from this event time."),
    ] = "",
    stop: Annotated[bool, typer.Option("--stop", help="End it; its scores stay.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a challenger score every decision without deciding (table shadow_scores)."""
    from domain.errors import InvalidInputError
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    if stop and since:
        raise InvalidInputError("--from", "a shadow that ends has no beginning: leave it out")
    begin = parse_moment("--from", since) if since else None
    with open_models(load_settings()) as models:
        if stop:
            _tell(models.end_shadow(model), "is no shadow any more", as_json)
        else:
            _tell(models.shadow(model, begin), "scores along and decides nothing", as_json)


@group.command()
def retire(
    model: Named,
    reason: Annotated[str, typer.Option(help="Why it is not to be promoted again.")],
    as_json: AsJson = False,
) -> None:
    """Keep a model from being promoted again; what it decided replays as ever."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _tell(models.retire(model, reason), "is retired", as_json)


def basis_points(share: str) -> int:
    """`5%` or `0.25 %` -> 500, 25. Raises InvalidInputError for what is no share above 0."""
    from decimal import Decimal, InvalidOperation

    from domain.errors import InvalidInputError

    try:
        points = Decimal(share.removesuffix("%").strip()) * 100
        if points == points.to_integral_value() and 0 < points <= 10_000:
            return int(points)
    except InvalidOperation:
        pass
    raise InvalidInputError("--share", f"expected 0.01% to 100%, in hundredths, not {share!r}")


def _facts(models: Models, model: Registered) -> dict[str, Any]:
    from domain.times import to_rfc3339

    trained = model.trained
    return {
        "model_id": model.model_id,
        "model_hash": model.model_hash,
        "state": _state(models, model),
        "feature_set": model.feature_set,
        "promotions": list(model.promotions),
        "as_known_at": to_rfc3339(trained.as_known_at) if trained else None,
        "transactions": trained.transactions if trained else None,
        "frauds": trained.frauds if trained else None,
        "average_precision": trained.average_precision if trained else None,
    }


def _state(models: Models, model: Registered) -> str:
    from domain.errors import UnavailableError

    states = []
    if model.model_hash == models.registry.in_force:
        states.append("in force")
    out = models.registry.policy.roll_out
    if out is not None and out.model_hash == model.model_hash:
        states.append(f"rolled out {out.share / 100:g} %")
    if models.registry.shadows.going_on(model.model_hash) is not None:
        states.append("shadow")
    if states:
        return ", ".join(states)
    if model.retired is not None:
        return "retired"
    try:
        return "stored" if models.store.holds(model.model_hash) else "artefact missing"
    except UnavailableError:
        return "shared models away"


def _row(facts: dict[str, Any]) -> list[str]:
    return [
        facts["model_id"],
        facts["model_hash"][:12],
        facts["state"],
        (facts["as_known_at"] or "-").partition("T")[0],
        *(_said(facts[name]) for name in ("transactions", "frauds", "average_precision")),
    ]


def _said(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tell(model: Registered, what: str, as_json: bool) -> None:
    facts = {"model_id": model.model_id, "model_hash": model.model_hash}
    print(json.dumps(facts) if as_json else f"{model.model_id} {what}")
