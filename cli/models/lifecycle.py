"""`retrace models` register, promote, rollback, roll-out, shadow and retire."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.models.group import AsJson, Named, group
from cli.output import parse_moment

if TYPE_CHECKING:
    from commands.models.registry import Registered
    from operations.models.lifecycle import Models


def register() -> None:
    """Adds the commands to `retrace models`."""
    group.command("register")(register_model)
    group.command()(promote)
    group.command()(rollback)
    group.command("roll-out")(roll_out)
    group.command("shadow")(shadow_model)
    group.command()(retire)


def register_model(model: Named, as_json: AsJson = False) -> None:
    """Register a model that was trained without the log (scripts/retrain_model.py)."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _print(models.register(model), "is registered", as_json)


def promote(model: Named, as_json: AsJson = False) -> None:
    """Put a model in force, everywhere, from one position of the log on."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _print(models.promote(model), "is in force", as_json, models)


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
        _print(models.rollback(to), "is in force again", as_json, models)


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
            _print(models.end_roll_out(), "no longer decides", as_json)
        else:
            change = f"decides {part / 100:g} % of traffic"
            _print(models.roll_out(model, part), change, as_json, models)


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
        raise InvalidInputError("--from", "leave it out with --stop")
    begin = parse_moment("--from", since) if since else None
    with open_models(load_settings()) as models:
        if stop:
            _print(models.end_shadow(model), "is no longer a shadow", as_json)
        else:
            _print(models.shadow(model, begin), "scores as a shadow", as_json)


def retire(
    model: Named,
    reason: Annotated[str, typer.Option(help="Why it is not to be promoted again.")],
    as_json: AsJson = False,
) -> None:
    """Keep a model from being promoted again; its decisions can still be replayed."""
    from runtime.composition.models import open_models
    from runtime.settings import load_settings

    with open_models(load_settings()) as models:
        _print(models.retire(model, reason), "is retired", as_json)


def basis_points(share: str) -> int:
    """`5%` or `0.25 %` -> 500, 25. Raises InvalidInputError for anything else."""
    from decimal import Decimal, InvalidOperation

    from domain.errors import InvalidInputError

    try:
        points = Decimal(share.removesuffix("%").strip()) * 100
        if points == points.to_integral_value() and 0 < points <= 10_000:
            return int(points)
    except InvalidOperation:
        pass
    raise InvalidInputError("--share", f"expected 0.01% to 100%, in hundredths, not {share!r}")


def _print(model: Registered, change: str, as_json: bool, deciding: Models | None = None) -> None:
    """Of a model that decides from now on, with what becomes of its thresholds."""
    facts: dict[str, Any] = {"model_id": model.model_id, "model_hash": model.model_hash}
    published = deciding.registry.policy.published if deciding else None
    if as_json:
        told = {"published_thresholds": asdict(published) if published else None}
        print(json.dumps(facts | told if deciding else facts))
        return
    print(f"{model.model_id} {change}")
    if published is not None:
        print(
            f"  its own thresholds do not count: those of the policy go on (review"
            f" {published.review:g}, step-up {published.step_up:g}, decline {published.decline:g})"
            " until `thresholds: {}` is published"
        )
