"""Worked examples of label features, with values computed by hand rather than by any engine."""

from domain.features import FeatureEvent
from domain.times import DAY, HOUR, MINUTE, SECOND
from tests.builders.feature_events import NOON, labelled, paid, values


def test_labels_are_dated_and_have_the_amounts_of_their_transactions() -> None:
    def known(number: int, days: int, value: int, amount: int) -> FeatureEvent:
        label = labelled(f"t{number}", NOON - days * DAY, value, f"r{number}")
        return label._replace(base_amount=amount)

    told = [(5, 1, 900), (4, 0, 100), (3, 1, 5000), (2, 1, 3000), (1, 1, 1000)]
    events = [known(i, *each) for i, each in enumerate(told)]
    found = values(events, NOON + 13 * HOUR)  # the next day
    assert found["merchant_fraud_run_90d"] == 3.0
    assert found["merchant_fraud_run_days_90d"] == 4.0
    assert found["merchant_fraud_run_amount_min_90d"] == 10.0
    assert found["merchant_fraud_run_amount_mean_90d"] == 30.0
    assert found["merchant_fraud_amount_mean_30d"] == (9 + 50 + 30 + 10) / 4
    assert found["merchant_last_fraud_amount_90d"] == 10.0
    assert found["merchant_hours_since_fraud_90d"] == 24.0 + 13
    assert found["merchant_hours_since_genuine_90d"] == 4 * 24.0 + 13
    assert found["payer_hours_since_first_fraud_30d"] == 5 * 24.0 + 13
    assert found["payer_fraud_count_14d"] == 4.0
    assert values(events[1:2], NOON)["merchant_fraud_run_amount_min_90d"] is None


def test_a_reversed_label_is_no_last_fraud() -> None:
    events = [labelled("t", NOON - DAY, 1), labelled("t", NOON - HOUR, 0, "reversed")]
    before, after = values(events, NOON - 2 * HOUR), values(events, NOON)
    assert before["merchant_hours_since_fraud_90d"] == 22.0
    assert after["merchant_hours_since_fraud_90d"] is None
    assert after["merchant_hours_since_genuine_90d"] == 1.0


class TestLabels:
    def test_a_label_counts_at_its_known_time_and_only_in_whole_past_tiles(self) -> None:
        events = [paid("t", NOON - 20 * DAY, 1), labelled("t", NOON, 1)]
        name = "merchant_fraud_count_7d"  # in tiles of a minute
        assert values(events, NOON)[name] == 0.0
        assert values(events, NOON + MINUTE - 1)[name] == 0.0
        assert values(events, NOON + MINUTE)[name] == 1.0
        assert values(events, NOON + 7 * DAY)[name] == 1.0
        assert values(events, NOON + 7 * DAY + MINUTE)[name] == 0.0

    def test_a_rate_is_fraud_labels_over_all_labels(self) -> None:
        events = [labelled(f"t{n}", NOON, int(n == 0), f"r{n}") for n in range(4)]
        assert values(events, NOON + DAY)["merchant_fraud_rate_7d"] == 0.25
        assert values([], NOON + DAY)["merchant_fraud_rate_7d"] is None

    def test_a_reversal_replaces_from_its_own_known_time_on(self) -> None:
        report, reversal = (
            labelled("t", NOON, 1, "report"),
            labelled("t", NOON + 2 * DAY, 0, "back"),
        )
        events = [report, reversal]
        name, rate = "merchant_fraud_count_30d", "merchant_fraud_rate_30d"
        assert values(events, NOON + 2 * DAY)[name] == 1.0
        assert values(events, NOON + 3 * DAY)[name] == 0.0
        assert values(events, NOON + 3 * DAY)[rate] == 0.0

    def test_the_last_of_the_log_counts_though_it_was_known_before(self) -> None:
        """Clocks of two hosts 3 s apart: the reversal comes later in the log, known earlier."""
        report = labelled("t", NOON + 3 * SECOND, 1, "report")
        reversal = labelled("t", NOON, 0, "back")
        name, labels = "merchant_fraud_count_1d", "merchant_fraud_rate_1d"
        both, again = [report, reversal], [report, reversal, labelled("t", NOON, 1, "again")]
        for later in (MINUTE, HOUR):
            assert values(both, NOON + later)[labels] == 0.0
            assert values(both[::-1], NOON + later)[name] == 1.0
            assert values(again, NOON + later)[name] == 1.0
        far = labelled("t", NOON + 2 * HOUR, 1, "report")
        assert values([far, reversal], NOON + HOUR)[labels] == 0.0
        assert values([far, reversal], NOON + 3 * HOUR)[labels] == 0.0
        assert values([reversal, far], NOON + 3 * HOUR)[labels] == 1.0

    def test_a_label_that_never_counts_does_not_come_back_when_the_other_is_too_old(self) -> None:
        """512 labels are kept: the reversal, known first, is cut off before what it reversed."""
        report, reversal = labelled("t", NOON + DAY, 1, "report"), labelled("t", NOON, 0, "back")
        others = [labelled(f"o{n}", NOON + 2 * DAY, 0, f"o{n}") for n in range(511)]
        found = values([report, reversal, *others], NOON + 3 * DAY)
        assert found["merchant_fraud_count_30d"] == 0.0
        far = labelled("t", NOON + 130 * DAY, 1, "far")
        found = values([far, reversal, labelled("u", NOON + 131 * DAY, 0)], NOON + 132 * DAY)
        assert found["merchant_fraud_count_30d"] == 0.0

    def test_a_reversal_outlives_the_label_that_it_replaced(self) -> None:
        events = [labelled("t", NOON, 0, "genuine"), labelled("t", NOON + 6 * DAY, 1, "chargeback")]
        assert values(events, NOON + 10 * DAY)["merchant_fraud_rate_7d"] == 1.0

    def test_each_label_of_a_transaction_replaces_the_one_before(self) -> None:
        days = ((0, 1), (2, 0), (4, 1), (6, 1))
        events = [labelled("t", NOON + day * DAY, value, f"l{day}") for day, value in days]
        name = "merchant_fraud_count_30d"
        at_noon = [values(events, NOON + day * DAY + HOUR * 12)[name] for day in (0, 2, 4, 6)]
        assert at_noon == [1.0, 0.0, 1.0, 1.0]
        assert values(events, NOON + 7 * DAY)["merchant_fraud_rate_30d"] == 1.0

    def test_labels_before_the_horizon_count_for_no_late_transaction(self) -> None:
        events = [labelled("a", NOON, 1, "a"), labelled("b", NOON + 40 * DAY, 1, "b")]
        assert values(events[:1], NOON + DAY)["merchant_fraud_count_30d"] == 1.0
        assert values(events, NOON + DAY)["merchant_fraud_count_30d"] == 0.0

    def test_the_latest_labels_count_where_there_are_more_than_the_cap(self) -> None:
        old = [labelled(f"o{n}", NOON, 1, f"o{n}") for n in range(100)]
        new = [labelled(f"n{n}", NOON + DAY, 0, f"n{n}") for n in range(500)]
        assert values(old + new, NOON + 3 * DAY)["merchant_fraud_count_30d"] == 12.0
        assert values(new + old, NOON + 3 * DAY)["merchant_fraud_count_30d"] == 12.0
