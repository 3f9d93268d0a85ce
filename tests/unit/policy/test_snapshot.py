"""The policy is the fold of its topic, wherever the fold is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.events import ModelPromoted, RecordDeadLettered, Thresholds, ThresholdsSet
from domain.policy import NO_POLICY, fold

models = st.builds(
    ModelPromoted,
    model_id=st.text(max_size=5),
    model_hash=st.text(max_size=5),
    feature_set=st.just("f"),
)
thresholds = st.builds(
    ThresholdsSet,
    thresholds=st.builds(
        Thresholds, review=st.floats(0, 0.3), step_up=st.floats(0.3, 0.6), decline=st.floats(0.6, 1)
    ),
    reason=st.just("test"),
)
topics = st.lists(models | thresholds, max_size=12).map(lambda data: list(enumerate(data)))


@given(topics, st.data())
def test_replaying_from_any_split_gives_the_same_policy(
    topic: list[tuple[int, object]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(topic)))
    assert fold(topic[cut:], start=fold(topic[:cut])) == fold(topic)


@given(topics)
def test_reading_a_record_again_changes_nothing(topic: list[tuple[int, object]]) -> None:
    snapshot = fold(topic)
    for offset, data in topic:
        assert snapshot.apply(data, offset) == snapshot


@given(topics)
def test_the_last_promotion_and_the_last_thresholds_are_in_force(
    topic: list[tuple[int, object]],
) -> None:
    snapshot = fold(topic)
    promoted = [data for _, data in topic if isinstance(data, ModelPromoted)]
    judged = [data.thresholds for _, data in topic if isinstance(data, ThresholdsSet)]
    assert snapshot.version == len(topic) - 1
    assert snapshot.model == (promoted[-1] if promoted else None)
    assert snapshot.thresholds == (judged[-1] if judged else NO_POLICY.thresholds)


def test_facts_of_other_versions_move_the_version_alone() -> None:
    other = RecordDeadLettered(reader="r", origin="o", partition=0, offset=0, reason="r", sealed="")
    after = NO_POLICY.apply(other, 7)
    assert (after.version, after.model, after.thresholds) == (7, None, NO_POLICY.thresholds)


def test_thresholds_of_a_model_do_not_judge_the_fallback_rules() -> None:
    tight = Thresholds(review=0.001, step_up=0.002, decline=0.003)
    snapshot = fold([(0, ThresholdsSet(thresholds=tight, reason="test"))])
    assert snapshot.thresholds_for("full") == tight
    assert snapshot.thresholds_for("fallback") == snapshot.thresholds_for("deadline") != tight
