"""`retrace models health`: drift of features, scores and labels, and calibration."""

import json
import sys
from typing import Annotated, Any

import typer

from cli.models.group import AsJson, group

_MOST_FEATURES = 20
NOT_MEASURED = 2


def register() -> None:
    """Adds the command to `retrace models`."""
    group.command()(health)


def health(
    model: Annotated[
        str | None,
        typer.Option(help="Id of a model, or the beginning of its hash.", show_default="in force"),
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Decisions of so long, e.g. 7d or 12h.", show_default="7d")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End of the window, RFC 3339.", show_default="now"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every feature.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare live traffic and labels of a model with its training.

    Exit status: 0 nothing over an alert limit, 1 something is, 2 it could not be measured.
    """
    from domain.errors import RetraceError

    try:
        facts = _measured(model, window, until)
    except RetraceError as error:
        print(f"retrace: {error}", file=sys.stderr)
        raise typer.Exit(NOT_MEASURED) from None
    if as_json:
        print(json.dumps(facts))
    else:
        _show(facts, every)
    raise typer.Exit(1 if facts["level"] == "alert" else 0)


def _measured(model: str | None, window: str | None, until: str | None) -> dict[str, Any]:
    from cli.output import parse_moment
    from domain.durations import parse_duration
    from domain.errors import InvalidInputError
    from host.clock import now_us
    from operations.monitoring.health import HealthQuery, health_of
    from operations.monitoring.report import facts_of
    from runtime.composition.monitoring import open_health
    from runtime.settings import load_settings

    settings = load_settings()
    length = parse_duration(window, "--window") if window else settings.health_window
    if not length:
        raise InvalidInputError("--window", "expected a span of time, such as 7d")
    end = parse_moment("--until", until) or now_us()
    query = HealthQuery(end, length, settings.health_label_days, settings.limits)
    with open_health(settings) as ports:
        return facts_of(health_of(ports, model, query), settings.limits)


def _show(facts: dict[str, Any], every: bool) -> None:
    from cli.output import print_table

    print(
        f"{facts['model_id']}: {facts['decisions']:,} decisions from {facts['since']} to"
        f" {facts['until']}"
    )
    for note in notes(facts):
        typer.echo(f"note: {note}", err=True)
    print_table([*_measures(facts)], ["MEASURE", "FOUND", "LIMITS", "LEVEL"])
    over = ("warn", "alert")
    chosen = [each for each in facts["features"] if every or each["level"] in over]
    if chosen:
        print()
        rows = [_feature(each) for each in (chosen if every else chosen[:_MOST_FEATURES])]
        print_table(
            rows, ["FEATURE", "PSI", "BY CHANCE", "JS", "UNKNOWN IN TRAINING", "LIVE", "LEVEL"]
        )
    if facts["weeks"]:
        print()
        days = [f"{each['days']} DAYS" for each in facts["calibration"]]
        print_table(
            [_week(each) for each in facts["weeks"]], ["WEEK OF", "DECIDED", "EXPECTED", *days]
        )


def notes(facts: dict[str, Any]) -> list[str]:
    """Why something cannot be measured, and what is left out."""
    found, limits = [], facts["limits"]
    if facts["sampled"] < limits["least_decisions"]:
        found.append(
            f"too little data: drift needs {limits['least_decisions']} decisions by the model on"
            f" features that were read, and there are {facts['sampled']}; take a longer --window"
        )
    elif facts["coverage"] < limits["coverage"]:
        found.append(
            f"too early: the decisions reach over {facts['coverage']:.0%} of the window, and drift"
            f" is judged from {limits['coverage']:.0%} on, since traffic has the rhythm of a week"
        )
    if facts["degraded"]:
        found.append(
            f"{facts['degraded']:,} decisions by fallback, without features, or of another feature"
            " set are left out"
        )
    if facts["levels"]["calibration"] == "unknown":
        found.append(
            f"too few frauds are known so far to judge calibration: {limits['least_frauds']}"
            " must be expected or observed in weeks whose labels are old enough"
        )
    found += [
        f"{name} cannot be judged: it needs labels that make {limits['least_frauds']} frauds, in"
        " decisions at the thresholds of the training, and a model that knows what to expect"
        for name in ("precision", "recall")
        if facts[name] is None
    ]
    censored = sum(each["declined_censored"] for each in facts["weeks"])
    if censored:
        found.append(f"{censored:,} declined are censored: not in expected or observed frauds")
    return found


def _measures(facts: dict[str, Any]) -> list[list[str]]:
    levels, limits = facts["levels"], facts["limits"]
    psi = "PSI " + " / ".join(f"{limit:g}" for limit in limits["psi"])
    ratio = "ratio " + " / ".join(f"{limit:g}" for limit in limits["ratio"])
    odds = ratio.replace("ratio", "odds")
    drifted = sum(each["level"] in ("warn", "alert") for each in facts["features"])
    measures = {
        "features": (f"{drifted} of {len(facts['features'])} drift", psi),
        "scores": (_scores(facts["scores"]), psi),
        "labels": (_labels(facts["labels"]), ratio),
        "calibration": (_calibration(facts), ratio),
        "precision": (_compared(facts["precision"]), odds),
        "recall": (_compared(facts["recall"]), odds),
    }
    return [[name, *text, levels[name]] for name, text in measures.items()]


def _scores(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    return f"PSI {found['psi']:.3f}, KS {found['kolmogorov_smirnov']:.3f}, mean {found['mean']:.4f}"


def _labels(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    live = f"{found['least']:.3%} to {found['most']:.3%}"
    return f"{live} fraud, {found['trained']:.3%} when trained"


def _calibration(facts: dict[str, Any]) -> str:
    judged = [each for each in facts["calibration"] if each["level"] != "unknown"]
    if not judged:
        return "-"
    parts = [
        f"{each['observed']} of {each['expected']:.1f} expected at {each['days']} days"
        for each in judged
    ]
    return "; ".join(parts)


def _compared(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    live, expected = found["live"], found["expected"]
    most = "at most " if found["open"] else ""
    return (
        f"{most}{live['share']:.1%} of {found['payments']}, {expected['low']:.1%} to"
        f" {expected['high']:.1%} expected"
    )


def _feature(each: dict[str, Any]) -> list[str]:
    return [
        each["feature"],
        f"{each['psi']:.3f}",
        f"{each['by_chance']:.3f}",
        f"{each['jensen_shannon']:.3f}",
        f"{each['unknown_trained']:.1%}",
        f"{each['unknown_live']:.1%}",
        each["level"],
    ]


def _week(week: dict[str, Any]) -> list[str]:
    observed = ["-" if number is None else str(number) for number in week["observed"].values()]
    return [week["week"][:10], f"{week['decided']:,}", f"{week['expected']:.1f}", *observed]
