"""Text of a model card in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

from inference.artefacts.manifest import NO_HISTORY
from inference.evaluation.card.content import MOST_IMPORTANT

PLOTS = (
    ("precision_recall.png", "Precision and recall"),
    ("calibration.png", "Calibration"),
    ("scores.png", "Distribution of scores"),
    ("gain.png", "Cumulative gain"),
)


def markdown(card: dict[str, Any]) -> str:
    parts = [
        f"# Model {card['model_id']}",
        _origin(card),
        _measures(card),
        _thresholds(card),
        _calibration(card),
        _stability(card),
        _importance(card),
        _settings(card),
        _features(card),
        "## Plots",
        "\n".join(f"![{title}]({name})" for name, title in PLOTS),
    ]
    return "\n\n".join(parts) + "\n"


def _origin(card: dict[str, Any]) -> str:
    data, code = card["data"], card["code"]
    rows = [
        ("hash", card["model_hash"]),
        ("learnt from", data["source"]),
        ("transactions", f"{data['first_transaction']} to {data['last_transaction']}"),
        ("as known at", data["as_known_at"]),
        (
            "labels",
            f"{data['transactions']:,} transactions, {data['frauds']:,} labelled fraud,"
            f" {data['genuine']:,} genuine",
        ),
        ("measured on", f"{data['validated_from']} to {data['validated_until']}"),
        ("code", f"retrace {code['version']}" + (f", {code['commit']}" if code["commit"] else "")),
        ("feature set", card["feature_set"]),
    ]
    if data["positions"]:
        ends = " ".join(str(end) for end in data["positions"])
        rows.append((f"read of {data['topic']}", f"per partition up to offset {ends}"))
    warning = f"**Warning:** {NO_HISTORY}.\n\n" if card["knows_no_history"] else ""
    return (
        f"{warning}Gives each payment the probability that it is fraud, for the thresholds below."
        " It knows only what its features say and frauds of the kinds that were labelled.\n\n"
        + table(["", ""], rows)
    )


def measure_rows(measured: dict[str, Any], chosen: dict[str, Any]) -> list[list[str]]:
    """A line of cells per measure, a column per maturity of `measured` (measures.by_maturity)."""
    columns = list(measured)
    names = [("payments", "payments"), ("frauds", "frauds"), ("genuine", "confirmed genuine"),
             ("censored", "declined, left out")]  # fmt: skip
    rows = [[said, *(_count(measured[each][name]) for each in columns)] for name, said in names]
    scalars = [("auc", "AUC (ROC)"), ("average_precision", "average precision"),
               ("brier", "Brier score")]  # fmt: skip
    rows += [[said, *(_number(measured[c].get(name)) for c in columns)] for name, said in scalars]
    for most in chosen["cards"]:
        found = (measured[c].get("card_precision", {}).get(str(most)) for c in columns)
        rows.append([f"card precision@{most}", *map(_number, found)])
    for budget in chosen["budgets"]:
        found = (measured[c].get("recall_within_budget", {}).get(f"{budget:g}") for c in columns)
        rows.append([f"recall, {budget:.1%} of traffic reviewed", *map(_share, found)])
    saved = ((measured[c].get("money") or {}) for c in columns)
    shares = [_share(each.get("saved_share")) for each in saved]
    rows.append(["money saved of the loss to fraud", *shares])
    return rows


def _measures(card: dict[str, Any]) -> str:
    measured, chosen = card["metrics"], card["measured_with"]
    rows, columns = measure_rows(measured, chosen), list(measured)
    costs = chosen["costs"]
    return (
        "## Measures\n\nOf a fit on the earlier payments, on the later ones, by how long after its "
        "payment a label was known. The model itself was then fitted on all labels.\n\n"
        + table(["", *columns], rows)
        + "\n\nMoney: a review costs "
        + f"{costs['review'] / 100:.2f}, a step-up {costs['step_up'] / 100:.2f} (base currency), a "
        + f"declined genuine payment {costs['declined_genuine']:.0%} of its amount, a missed fraud "
        + f"{costs['missed_fraud']:.0%} of it; a fraud that is reviewed or stopped costs no more."
    )


def _thresholds(card: dict[str, Any]) -> str:
    at = card["thresholds"]
    rows = [
        [
            outcome.replace("_", "-"),
            f"{at[outcome]['from']:.4f}",
            _share(at[outcome]["share_of_traffic"], 2),
            _interval(at[outcome]["precision"]),
            _interval(at[outcome]["recall"]),
        ]
        for outcome in ("decline", "step_up", "review")
    ]
    titles = ["outcome", "score from", "of traffic", "precision there or above", "recall"]
    referred = at["referred"]
    return (
        "## Thresholds\n\nExpected, with 95 % intervals, on the later payments, to which only "
        "calibration and thresholds were fitted. Precision is the share that is fraud, recall the "
        "share of all fraud; payments of one card are taken together.\n\n"
        + table(titles, rows)
        + "\n\nLive, a declined payment is seldom labelled. Of payments that are not declined, "
        + f"{_interval(referred['recall'])} of the fraud is reviewed or stepped up, and "
        + f"{_interval(referred['precision'])} of what is reviewed or stepped up is fraud: "
        + "`retrace models health` compares live labels with these two."
    )


def _calibration(card: dict[str, Any]) -> str:
    rows = [
        [
            f"{band['from']:g} to {band['to']:g}",
            _count(band["rows"]),
            _count(band["frauds"]),
            f"{band['predicted']:.4f}",
            f"{band['observed']:.4f}",
            f"{band['low']:.4f} to {band['high']:.4f}",
        ]
        for band in card["calibration"]["bands"]
    ]
    titles = ["score", "labelled", "frauds", "predicted", "observed", "95 % interval"]
    return (
        "## Calibration\n\nOn the payments that the calibration was fitted to; mean distance "
        f"{card['calibration']['error']:.5f}.\n\n" + table(titles, rows)
    )


def _stability(card: dict[str, Any]) -> str:
    found = card["stability"]
    fits = [
        [f"seed {each['seed']}", _number(each["average_precision"]), _number(each["auc"])]
        for each in found["seeds"]
    ]
    weeks = [
        [f"week from {each['from'][:10]}", _number(each["average_precision"]), _number(each["auc"])]
        for each in found["weeks"]
    ]
    groups = [
        [", ".join(f"`{name}`" for name in each["features"]), f"{each['average_precision']:+.4f}"]
        for each in found["groups"]
    ]
    return (
        "## Stability\n\nOf fits on the earlier payments, on all later ones (by seed) and week by "
        "week (the first seed).\n\n"
        + table(["", "average precision", "AUC"], [*fits, *weeks])
        + f"\n\n{_boosting(card['boosting'])}"
        + "\n\nHow much average precision falls without a group of features that say nearly the "
        "same (its values drawn from other payments).\n\n" + table(["features", "worth"], groups)
    )


def _boosting(found: dict[str, Any]) -> str:
    count, gain = found["count"], found["gain"]
    return (
        f"Of the boosted trees the first {count['boosted']} count, {count['weight']:g} times what "
        "they add. To let all of them count in full changes average precision by "
        f"{gain['value']:+.4f} (95 % interval {gain['low']:+.4f} to {gain['high']:+.4f})."
    )


def _importance(card: dict[str, Any]) -> str:
    found = card["importance"]
    rows = [
        [each["words"], f"{each['over_traffic']:.3f}", f"{each['over_frauds']:.3f}", each["name"]]
        for each in found["features"][:MOST_IMPORTANT]
    ]
    titles = ["feature", "all", "frauds", "name"]
    return (
        f"## What moves it\n\nThe {len(rows)} features of the greatest mean contribution (logits, "
        f"either way) against a typical genuine payment, over {found['traffic_rows']:,} payments "
        f"and {found['fraud_rows']:,} frauds.\n\n" + table(titles, rows)
    )


def _settings(card: dict[str, Any]) -> str:
    rows = [(name, str(value)) for name, value in _flat(card["settings"])]
    return "## Settings\n\n" + table(["", ""], rows)


def _features(card: dict[str, Any]) -> str:
    names = ", ".join(f"`{each['name']}`" for each in card["features"])
    return f"## Features\n\n{len(card['features'])} vary in the labelled payments: {names}."


def _flat(settings: dict[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
                     for line in lines)  # fmt: skip


def _count(value: int) -> str:
    return f"{value:,}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _interval(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    return f"{found['share']:.1%} ({found['low']:.1%} to {found['high']:.1%})"


def _share(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}%}"
