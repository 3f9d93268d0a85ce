"""Shadow models follow from the fold of the POLICY topic."""

from hypothesis import given
from hypothesis import strategies as st

from domain.events import ModelRetired, ModelShadowed, ShadowEnded, Thresholds
from domain.policy.shadows import NO_SHADOWS, Shadows

THRESHOLDS = Thresholds(review=0.1, step_up=0.2, decline=0.3)
offsets = st.lists(st.integers(0, 50), min_size=2, max_size=2)
hashes = st.sampled_from("abc")
begun = st.builds(
    ModelShadowed,
    model_id=st.just("m"),
    model_hash=hashes,
    feature_set=st.just("f"),
    thresholds=st.just(THRESHOLDS),
    seam=offsets,
    since=st.none() | st.integers(0, 9),
)
ended = st.builds(ShadowEnded, model_id=st.just("m"), model_hash=hashes, until=offsets)
others = st.just(ModelRetired(model_id="m", model_hash="a", reason="r"))
topics = st.lists(begun | ended | others, max_size=12)


def fold(topic: list[object]) -> Shadows:
    shadows = NO_SHADOWS
    for offset, data in enumerate(topic):
        shadows = shadows.apply(data, offset)
    return shadows


@given(topics)
def test_a_model_has_its_last_shadow_which_the_first_end_after_it_ends(topic: list[object]) -> None:
    for model_hash, shadow in fold(topic).by_model.items():
        mine = [
            (offset, data)
            for offset, data in enumerate(topic)
            if isinstance(data, ModelShadowed | ShadowEnded) and data.model_hash == model_hash
        ]
        last = max(offset for offset, data in mine if isinstance(data, ModelShadowed))
        ends = [data for offset, data in mine if offset > last and isinstance(data, ShadowEnded)]
        assert shadow.number == last
        assert shadow.until == (tuple(ends[0].until) if ends else None)
        assert (fold(topic).active(model_hash) is None) == bool(ends)


@given(topics)
def test_reading_a_record_again_changes_nothing(topic: list[object]) -> None:
    shadows = fold(topic)
    assert shadows.version == len(topic) - 1
    for offset, data in enumerate(topic):
        assert shadows.apply(data, offset) == shadows


def test_a_shadow_with_history_starts_at_offset_zero_and_one_without_at_the_seam() -> None:
    given = {"model_id": "m", "feature_set": "f", "thresholds": THRESHOLDS, "seam": [7, 9]}
    topic = [
        ModelShadowed(**given, model_hash="a", since=5),  # type: ignore[arg-type]
        ModelShadowed(**given, model_hash="b"),  # type: ignore[arg-type]
    ]
    shadows = fold(list(topic)).by_model
    assert [shadows["a"].start(p) for p in (0, 1)] == [0, 0]
    assert [shadows["b"].start(p) for p in (0, 1)] == [7, 9]
