"""Labels, their retry, and the delivery of alerts to a webhook."""

import json
from itertools import count, islice

from runtime.telemetry.spans import is_sampled, trace_of
from tests.e2e.stack import FOLLOWED, RunningStack, body, eventually, rows, score


def test_a_label_is_recorded_and_a_reversal_replaces_it(stack: RunningStack) -> None:
    with stack.client() as client:
        score(client, body("labelled-1", merchant_id="m-1"))
        report = {"transaction_id": "labelled-1", "kind": "chargeback", "reference": "cb-1"}
        assert client.post("/labels", json=report).status_code == 201
        reversal = report | {"kind": "reversal", "reference": "rv-1"}
        assert client.post("/labels", json=reversal).status_code == 201
        # The same reference is the same label.
        again = client.post("/labels", json=report)
        assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    asked = "SELECT value FROM labels WHERE transaction_id = 'labelled-1' ORDER BY known_time"
    eventually(lambda: rows(stack, asked) == [(1,), (0,)])
    asked = "SELECT value FROM current_labels WHERE transaction_id = 'labelled-1'"
    assert rows(stack, asked) == [(0,)]


def test_a_wrong_label_names_its_field(stack: RunningStack) -> None:
    with stack.client() as client:
        answer = client.post("/labels", json={"transaction_id": "x", "kind": "rumour"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "kind"


def test_a_label_before_its_transaction_is_parked_and_finds_it(stack: RunningStack) -> None:
    label = {"transaction_id": "early-1", "kind": "fraud_report", "reference": "early"}
    with stack.client() as client:
        answer = client.post("/labels", json=label)
        assert (answer.status_code, answer.json()["status"]) == (202, "parked")
        letters = json.loads(stack.retrace("dead-letters", "list", "--json").stdout)
        assert "early-1" in json.dumps(letters)
        score(client, body("early-1"))
    asked = "SELECT value FROM labels WHERE transaction_id = 'early-1'"
    eventually(lambda: rows(stack, asked) == [(1,)])


def test_a_suspicious_transaction_raises_one_alert_for_the_webhook(stack: RunningStack) -> None:
    # The stream of a stolen card: whatever the model is, one of these is not approved.
    with stack.client() as client:
        outcomes = {}
        followed = _followed("stolen", 60)
        for number, transaction_id in enumerate(followed):
            answer = score(
                client,
                body(
                    transaction_id,
                    amount=4000 + 90 * number,
                    timestamp=f"2026-01-05T03:{number:02d}:00Z",
                    card_id="card-stolen",
                    customer_id="victim",
                    merchant_id=f"electronics-{number}",
                    mcc="6051",
                    device_id=f"device-{number}",
                    country="NG",
                    lat=6.5,
                    lon=3.4,
                    channel="ecom",
                ),
            ).json()
            outcomes[answer["transaction_id"]] = answer["outcome"]
        wanted = {i for i, outcome in outcomes.items() if outcome in ("review", "decline")}
        assert wanted

        def raised() -> set[str]:
            asked: dict[str, str | int] = {"card_id": "card-stolen", "limit": 1000}
            items = client.get("/alerts", params=asked).json()["items"]
            return {item["transaction_id"] for item in items if item["state"] == "delivered"}

        eventually(lambda: raised() == wanted)
        listed = client.get("/alerts", params={"card_id": "card-stolen"}).json()["items"]
    posted = [alert for alert in stack.alerts if alert.get("card_id") == "card-stolen"]
    assert {alert["transaction_id"] for alert in posted} == wanted
    shown = json.loads(stack.retrace("alerts", "--json", "-n", "1000").stdout)["alerts"]
    assert wanted <= {alert["transaction_id"] for alert in shown}
    assert all(len(alert["why"]) == len(alert["reasons"]) > 0 for alert in shown)
    _is_one_tree(stack, trace_of(min(wanted)))
    mine = [alert for alert in shown if alert["transaction_id"] in wanted]
    for alert in *posted, *mine, *listed:
        minor = 100 * (4000 + 90 * followed.index(alert["transaction_id"]))
        assert (alert["amount"], alert["amount_minor"]) == (f"{minor // 100}.00", minor)


def test_the_case_of_a_payer_is_worked_off_and_its_verdict_labels_its_payments(
    stack: RunningStack,
) -> None:
    with stack.client() as client:
        for number in range(30):
            suspicious = body(
                f"case-{number}", amount=9000, timestamp=f"2026-01-06T03:{number:02d}:00Z",
                customer_id="worked-off", mcc="6051", device_id=f"d-{number}", country="NG",
                merchant_id=f"e-{number}", lat=6.5, lon=3.4, channel="ecom",
            )  # fmt: skip
            score(client, suspicious)
        queue = {"payer_id": "worked-off"}
        eventually(lambda: len(client.get("/cases", params=queue).json()["items"]) == 1)
        [case] = client.get("/cases", params=queue).json()["items"]
        path = f"/cases/{case['case_id']}"
        eventually(lambda: client.get(path).json()["alerts"] == _alerts_of(stack, "worked-off"))
        said = {"action": "assign", "by": "lead", "to": "mara", "reference": "r-1"}
        assert client.post(path, json=said).status_code == 201
        eventually(lambda: client.get(path).json()["assignee"] == "mara")
        again = client.post(path, json=said)
        assert (again.status_code, again.json()["status"]) == (200, "duplicate")
        wrong = client.post(path, json={"action": "dispose", "by": "mara"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "verdict")
        done = stack.retrace("cases", "dispose", case["case_id"], "fraud", "--by", "mara")
        assert "dispose recorded" in done.stdout
        eventually(lambda: client.get(path).json()["state"] == "disposed")
        refused = client.post(path, json=said | {"reference": "r-2"})
        assert refused.status_code == 409
        listed = client.get("/cases", params=queue | {"done": True}).json()["items"]
        assert [each["verdict"] for each in listed] == ["fraud"]
        assert client.get("/cases/case-unknown").status_code == 404
    asked = (
        "SELECT count(*) FROM current_labels JOIN alerts USING (transaction_id)"
        " WHERE customer_id = 'worked-off' AND value = 1 AND reporter = 'mara'"
    )
    eventually(lambda: rows(stack, asked) == [(_alerts_of(stack, "worked-off"),)])
    shown = json.loads(stack.retrace("cases", "show", case["case_id"], "--json").stdout)
    assert [each["action"] for each in shown["history"]] == ["assign", "dispose"]


def _alerts_of(stack: RunningStack, customer_id: str) -> int:
    [(count,)] = rows(stack, f"SELECT count(*) FROM alerts WHERE customer_id = '{customer_id}'")
    return int(count)


def _is_one_tree(stack: RunningStack, trace: str) -> None:
    """Of all processes; its root is the request."""
    eventually(lambda: _services(stack, trace) == _PASSED)
    found = [span for span in stack.spans if span["traceId"] == trace]
    ids = {span["spanId"] for span in found}
    [root] = [span for span in found if not span["parentSpanId"]]
    assert (root["service"], root["name"]) == ("retrace-api", "POST /score")
    assert {span["parentSpanId"] for span in found} <= {*ids, ""}


# The archive gathers records for a minute.
_PASSED = {"retrace-api", "retrace-worker-decisions", "retrace-worker-features"} | {
    f"retrace-worker-{name}" for name in ("offline", "readmodels", "evidence")
}


def _services(stack: RunningStack, trace: str) -> set[str]:
    """All whose spans of a trace have come, once its alert is known to be delivered."""
    found = [span for span in stack.spans if span["traceId"] == trace]
    if not any(span["name"] == "append fraud.alert.delivered.v1" for span in found):
        return set()
    return {span["service"] for span in found} - {"retrace-worker-archive"}


def _followed(prefix: str, number: int) -> list[str]:
    """So many transaction ids that are in the sample of traces."""
    ids = (f"{prefix}-{each}" for each in count())
    return list(islice((i for i in ids if is_sampled(trace_of(i), FOLLOWED)), number))
