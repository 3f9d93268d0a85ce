"""Traffic unlike the training data: it shows in the metrics and raises an alert about the model."""

import json

from tests.e2e.stack import RunningStack, body, eventually, score

ODD = 200


def test_odd_traffic_shows_in_metrics_and_raises_a_model_alert(stack: RunningStack) -> None:
    with stack.client() as client:
        for n in range(ODD):
            at = f"2026-04-01T03:{n // 60:02}:{n % 60:02}Z"
            odd = body(f"odd-{n}", amount=50_000 + n, timestamp=at, customer_id=f"odd-{n}")
            assert score(client, odd).status_code == 200

        def alerting() -> list[str]:
            lines = client.get("/metrics").text.splitlines()
            return [x for x in lines if x.startswith("retrace_model_health{") and x[-3:] == "3.0"]

        eventually(alerting, 60)
        assert "retrace_model_psi{" in client.get("/metrics").text

    def delivered() -> list[str]:
        told = json.loads(stack.retrace("alerts", "--json").stdout)["model_alerts"]
        return [each["measure"] for each in told if each["state"] == "delivered"]

    assert "features" in eventually(delivered)
    posted = [a for a in stack.alerts if a["type"] == "fraud.model-alert.raised.v1"]
    # One per model, measure and day, however often it is measured.
    keys = [each["alert_id"] for each in posted]
    assert len(keys) == len(set(keys)) > 0

    measured = stack.retrace("models", "health", "--json", check=False)
    facts = json.loads(measured.stdout)
    assert (measured.returncode, facts["levels"]["features"]) == (1, "alert")
    looked = stack.retrace("models", "watch", "--once", "--every", "0", "--rest", "52w", "--json")
    check = json.loads(looked.stdout)
    assert (check["level"], check["reason"], check["trained"]) == ("alert", None, None)
    assert "drift of" in check["note"]
