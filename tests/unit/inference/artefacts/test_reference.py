"""A reference describes traffic in few numbers, whatever the values are."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.artefacts.manifest import Manifest
from inference.artefacts.reference import counted
from inference.monitoring.drift import feature_drifts, score_drift
from inference.monitoring.limits import Limits
from tests.builders.artefacts import made, manifest

VALUES = st.lists(
    st.one_of(
        st.floats(-(2.0**40), 2.0**40, width=32), st.sampled_from([0.0, 1.0, 0.1, float("nan")])
    ),
    min_size=1,
    max_size=200,
)


@given(VALUES)
def test_the_shares_are_those_of_the_values(values: list[float]) -> None:
    [bins] = made(np.array(values)).features
    assert bins.edges == sorted(set(bins.edges))
    assert len(bins.edges) <= 19
    assert sum(bins.shares) == pytest.approx(1, abs=1e-5)
    assert bins.unknown == pytest.approx(np.isnan(values).mean(), abs=1e-6)
    assert counted(bins.edges, values) / len(values) == pytest.approx(bins.shares, abs=1e-6)


@given(VALUES)
def test_the_training_data_itself_has_not_drifted(values: list[float]) -> None:
    reference = made(np.array(values))
    [found] = feature_drifts(reference, ["x"], np.array(values)[:, None], Limits(least=1))
    assert found.divergence.psi == pytest.approx(0, abs=1e-3)
    assert found.level == "steady"


@pytest.mark.parametrize("usual", [0.0, 1.0, 0.1])
def test_a_rare_value_beside_a_usual_one_has_its_own_bin(usual: float) -> None:
    before = np.where(np.arange(1000) % 50 == 0, 1 - usual, usual)
    live = np.where(np.arange(1000) % 2 == 0, 1 - usual, usual)
    [found] = feature_drifts(made(before), ["x"], live[:, None], Limits())
    assert found.level == "alert"


def test_a_constant_feature_that_begins_to_vary_is_drift() -> None:
    for live in (np.full(1000, 2.0), np.full(1000, -2.0), np.full(1000, np.nan)):
        [found] = feature_drifts(made(np.zeros(1000)), ["x"], live[:, None], Limits())
        assert found.level == "alert"


def test_values_beyond_all_that_training_saw_are_seen() -> None:
    before = np.linspace(0, 1, 1000)
    live = np.where(before > 0.95, 7.0, before)
    [found] = feature_drifts(made(before), ["x"], live[:, None], Limits())
    assert found.level == "alert"


def test_values_stay_in_their_bin_when_they_are_narrowed_to_float32() -> None:
    # Two of these are rounded down, two up.
    values = np.repeat([0.1, 1 / 3, 0.7, 0.9], 100)
    [bins] = made(values.astype(np.float32).astype(float)).features
    assert counted(bins.edges, values) / 400 == pytest.approx(bins.shares)


def test_rows_count_as_often_as_they_stand_for() -> None:
    column = np.concatenate([np.zeros(100), np.ones(100)])
    stands_for = np.concatenate([np.full(100, 9.0), np.ones(100)])
    reference = made(column, stands_for=stands_for)
    [found] = feature_drifts(reference, ["x"], np.repeat([0.0, 1.0], [900, 100])[:, None], Limits())
    assert found.divergence.psi == pytest.approx(0, abs=1e-9)
    assert reference.rows == pytest.approx(1000**2 / (81 * 100 + 100))


def test_calibration_is_kept_by_bin_of_scores() -> None:
    random = np.random.default_rng(1)
    scores = random.beta(0.5, 8, 50_000)
    labels = (random.random(50_000) < scores).astype(float)
    reference = made(np.arange(50_000.0), scores, labels=labels)
    assert sum(each.share for each in reference.calibration) == pytest.approx(1, abs=1e-4)
    assert len(reference.calibration) > 10
    for each in reference.calibration:
        # A bin of fifty rows says little.
        assert each.observed == pytest.approx(each.expected, abs=0.03 + 0.001 / each.share)
    assert reference.fraud_share == pytest.approx(labels.mean())


def test_the_last_bits_of_a_score_move_nothing() -> None:
    scores = np.repeat([0.0001, 0.002, 0.03], 1000)
    found = score_drift(made(np.zeros(3000), scores), scores * (1 + 1e-7), Limits())
    assert found.divergence.psi == pytest.approx(0)
    assert found.ks == pytest.approx(0, abs=0.005)


def test_it_is_compact_and_survives_the_manifest() -> None:
    random = np.random.default_rng(2)
    one = made(random.normal(size=5000))
    reference = msgspec.structs.replace(one, features=one.features * 93)
    assert len(msgspec.json.encode(reference)) < 40_000
    stored = manifest(reference=reference)
    assert Manifest.from_json(stored.to_json()) == stored


def test_a_manifest_of_before_has_no_reference() -> None:
    assert b"reference" in manifest().to_json()
    older = msgspec.json.decode(manifest().to_json())
    del older["reference"]
    assert Manifest.from_json(msgspec.json.encode(older)).reference is None
