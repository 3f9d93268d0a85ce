"""What receivers of alerts send back: their published payloads, with a place for our key.

PagerDuty webhooks v3, the outgoing webhook of Opsgenie, jira:issue_updated of Jira, the webhook
receiver of Alertmanager (version 4), Standard Webhooks.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from standardwebhooks.webhooks import Webhook

from domain.times import SECOND, to_datetime

SECRET = "s3cret-of-the-route"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
Sent = tuple[bytes, dict[str, str]]
"""Body and headers."""


def pagerduty(kind: str, key: str, reference: str = "01BX5ZZKBKACTAV9WEVGEMMVRY") -> Sent:
    user = {"id": "PLH1HKV", "type": "user_reference", "summary": "Tenex Engineer",
            "html_url": "https://acme.pagerduty.com/users/PLH1HKV",
            "self": "https://api.pagerduty.com/users/PLH1HKV"}  # fmt: skip
    service = {"id": "PF9KMXH", "type": "service_reference", "summary": "API Service",
               "html_url": "https://acme.pagerduty.com/services/PF9KMXH",
               "self": "https://api.pagerduty.com/services/PF9KMXH"}  # fmt: skip
    event = {
        "id": reference,
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": "2023-10-01T13:00:00.000Z",
        "agent": user,
        "client": None,
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "self": "https://api.pagerduty.com/incidents/PGR0VU2",
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "number": 2,
            "status": kind.rpartition(".")[2],
            "incident_key": key,
            "created_at": "2023-10-01T12:58:00Z",
            "title": "Payment of 99.00 EUR declined: t-1",
            "service": service,
            "assignees": [user],
            "escalation_policy": {"id": "PUS0KTE", "type": "escalation_policy_reference"},
            "teams": [],
            "priority": None,
            "urgency": "high",
            "conference_bridge": None,
            "resolve_reason": None,
        },
    }
    body = json.dumps({"event": event}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    # The first is by a secret that is being changed.
    return body, {"X-PagerDuty-Signature": f"v1={'0' * 64},v1={signature}"}


def opsgenie(action: str, key: str, moment: int = 1696165200000, **alert: Any) -> Sent:
    about = {
        "tags": ["retrace", "high"],
        "teams": ["team1"],
        "responders": ["team1"],
        "message": "Payment of 99.00 EUR declined: t-1",
        "username": "fahri@example.com",
        "alertId": "70413a06-38d6-4c85-92b8-5ebc900d42e2",
        "source": "retrace",
        "alias": key,
        "tinyId": "1791",
        "alertDetails": {},
        "userId": "686abd2b-2ee0-4b5a-8a1b-1c2d3e4f5a6b",
        "entity": "",
        "createdAt": 1696165000000,
        "updatedAt": moment,
    }
    body = {
        "source": {"name": "web", "type": "API"},
        "alert": about | alert,
        "action": action,
        "integrationId": "37c8f316-17c6-49d7-899b-9c7e540c048d",
        "integrationName": "Retrace",
    }
    return json.dumps(body).encode(), {"Authorization": f"Bearer {SECRET}"}


def jira(category: str, case_id: str, field: str = "status") -> Sent:
    """Of an issue into which the text of our message was copied."""
    body = {
        "timestamp": 1696165200000,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_generic",
        "user": {"accountId": "99:27935d01", "displayName": "Bryan Rollins", "active": True},
        "issue": {
            "id": "99291",
            "self": "https://jira.example.net/rest/api/2/issue/99291",
            "key": "JRA-20002",
            "fields": {
                "summary": "Payment of 99.00 EUR declined: t-1",
                "created": "2023-10-01T12:58:00.000+0000",
                "description": f"Large amount.\ntransaction: t-1\ncase: {case_id}",
                "labels": ["UI", "dialogue"],
                "priority": {"name": "Minor"},
                "status": {"name": "X", "statusCategory": {"id": 3, "key": category}},
            },
        },
        "changelog": {
            "id": 10124,
            "items": [{"field": field, "fieldtype": "jira", "from": "1", "to": "3"}],
        },
    }
    raw = json.dumps(body).encode()
    signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    identifier = "webhook-id-1-" + category
    return raw, {
        "X-Hub-Signature": f"sha256={signature}",
        "X-Atlassian-Webhook-Identifier": identifier,
    }


def alertmanager(status: str, key: str, ends: str = "2023-10-01T13:00:00.123456789Z") -> Sent:
    alert = {
        "status": status,
        "labels": {"alertname": "Retrace", "severity": "high", "alert": key},
        "annotations": {"summary": "Payment of 99.00 EUR declined: t-1"},
        "startsAt": "2023-10-01T12:58:00Z",
        "endsAt": ends,
        "generatorURL": "",
        "fingerprint": "c2d4e1f0a9b8c7d6",
    }
    body = {
        "version": "4",
        "groupKey": '{}:{alertname="Retrace"}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "retrace",
        "groupLabels": {"alertname": "Retrace"},
        "commonLabels": alert["labels"],
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [alert],
    }
    basic = base64.b64encode(b"am:pass").decode()
    return json.dumps(body).encode(), {"Authorization": f"Basic {basic}"}


def standard(kind: str, now: int, message_id: str = "msg_1", **data: Any) -> Sent:
    body = json.dumps({"type": kind, "timestamp": "2023-10-01T13:00:00Z", "data": data})
    signature = Webhook(STANDARD_SECRET).sign(message_id, to_datetime(now), body)
    return body.encode(), {
        "webhook-id": message_id,
        "webhook-timestamp": str(now // SECOND),
        "webhook-signature": signature,
    }
