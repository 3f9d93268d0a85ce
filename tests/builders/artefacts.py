"""Small artefacts: manifests, references, and the measured health of one."""

from dataclasses import replace

import msgspec
import numpy as np

from domain.events import Thresholds
from domain.times import DAY
from inference.artefacts.manifest import FORMAT, Calibration, Manifest, Probe
from inference.artefacts.reference import Catch, Catches, Reference
from inference.artefacts.store import FOREST, GRAPH, MANIFEST, Artefact
from inference.frame.frame import Floats, Frame
from inference.monitoring.calibration import WEEK, Week
from inference.monitoring.catches import LivePayments
from inference.monitoring.limits import Limits
from inference.monitoring.report import Live, ModelHealth, health
from inference.proportions import Proportion
from inference.serving.forest.forest import Forest
from inference.training.reference import reference_of

NOW = 100 * DAY


LIMITS = Limits()
NO_PAYMENTS = LivePayments(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0)
)
THRESHOLDS = Thresholds(review=0.1, step_up=0.2, decline=0.3)


def manifest(**changes: object) -> Manifest:
    fields: dict[str, object] = {
        "format": FORMAT,
        "model_id": "m",
        "feature_set": "f",
        "feature_names": ["a"],
        "feature_definitions": [],
        "baseline": [None],
        "calibration": Calibration(1.0, 0.0),
        "thresholds": THRESHOLDS,
        "probe": Probe([[0.1], [None]], [0.25, 0.5]),
        "facts": {"rows": 3},
    }
    return Manifest(**{**fields, **changes})  # type: ignore[arg-type]


def files(graph: bytes = b"graph") -> dict[str, bytes]:
    return {GRAPH: graph, MANIFEST: manifest().to_json(), FOREST: b"trees"}


def frame(column: Floats, labels: Floats | None = None, stands_for: Floats | None = None) -> Frame:
    rows = len(column)
    return Frame(
        np.asarray(column, float).reshape(rows, 1),
        np.zeros(rows) if labels is None else labels,
        np.arange(rows, dtype=np.int64),
        np.ones(rows) if stands_for is None else stands_for,
        ("x",),
        "f",
        rows,
    )


def made(column: Floats, scores: Floats | None = None, **given: Floats) -> Reference:
    served = np.linspace(0, 1, len(column)) if scores is None else scores
    traffic = frame(column, **given)
    return reference_of(traffic, served, traffic, served, THRESHOLDS)


def measured(
    shift: float,
    rows: int = 2000,
    weeks: list[Week] | None = None,
    span: int = WEEK,
    payments: LivePayments = NO_PAYMENTS,
    expected: Proportion | None = None,
) -> ModelHealth:
    """Of a model whose precision and recall are expected so."""
    random = np.random.default_rng(1)
    column, scores = random.normal(size=2000), random.beta(1, 50, 2000)
    catch = Catch(0.01, expected, expected)
    reference = msgspec.structs.replace(
        made(column, scores), catches=Catches(catch, catch, catch, catch)
    )
    given = manifest(reference=reference)
    live = Live(
        NOW - WEEK, NOW, rows + 7, 7, span, column[:rows, None] + shift, scores[:rows], weeks or [],
        payments,
    )  # fmt: skip
    return health(given, "h" * 64, live, LIMITS)


def with_other_shares(artefact: Artefact, factor: float) -> Artefact:
    """The artefact with a forest in it that scores a little otherwise."""
    forest = Forest.from_bytes(artefact.forest)
    shares = (forest.says * np.float32(factor)).clip(max=1 - 1e-6)
    return replace(artefact, forest=replace(forest, says=shares).to_bytes())
