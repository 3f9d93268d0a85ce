"""Messages: what receivers are told about one alert, about many at once, or to try a route."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.cases import case_id_of
from domain.events import AlertRaised, CaseOverdue, Envelope, ModelAlertRaised, RuleSeverity
from domain.model_alerts import SYSTEM
from domain.money import with_shown_amounts
from domain.money.currencies import EXPONENTS
from domain.policy.rules.rule_set import SEVERITIES
from domain.times import to_rfc3339
from domain.wording import sentence

DIGEST = "retrace.alerts.digest"
TRIAL = "retrace.alerts.trial"
_MOST_NAMED = 5
_DONE = {"decline": "declined", "review": "to review", "approve": "let pass to explore"}


@dataclass(frozen=True, slots=True)
class Message:
    """`key` is equal for every attempt to send it, and for no other message.

    `title` is one line, `lines` are sentences, `facts` short texts by name; `body` is the JSON of a
    webhook. `moment` is when its (first) alert was raised, microseconds UTC.
    """

    key: str
    title: str
    severity: RuleSeverity
    moment: int
    lines: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Lines and facts, one below the other."""
        return "\n".join([*self.lines, *(f"{name}: {fact}" for name, fact in self.facts.items())])


Raised = tuple[Envelope, RuleSeverity]


def of_alert(raised: Envelope, severity: RuleSeverity, key: str) -> Message:
    """`raised` holds AlertRaised, ModelAlertRaised or CaseOverdue."""
    data = raised.data
    if isinstance(data, CaseOverdue):
        return _of_overdue(raised, data, severity, key)
    body = with_shown_amounts(asdict(data))
    body |= {"type": raised.type, "raised_at": to_rfc3339(raised.known_time), "severity": severity}
    if isinstance(data, ModelAlertRaised):
        facts = {"model": data.model_id} if data.model_id != SYSTEM else {}
        facts |= {"measure": data.measure, "value": f"{data.value:.3f}"}
        facts |= {"limit": f"{data.limit:g}", "alert": data.alert_id}
        about = "Retrace" if data.model_id == SYSTEM else f"Model {data.model_id}"
        title = f"{about}: {data.summary}"
        return Message(key, _line(title), severity, raised.known_time, [data.summary], facts, body)
    why = [data.told.get(code) or sentence(code) for code in data.reasons]
    body.pop("told")
    amount = _amount(data.amount, data.currency)
    facts = {"transaction": data.transaction_id, "amount": amount, "score": f"{data.score:.3f}"}
    case = case_id_of(data)
    body |= {"why": why, "case_id": case}
    named = {"merchant": data.merchant_id, "customer": data.customer_id, "card": data.card_id}
    facts |= {name: value for name, value in named.items() if value} | {
        "case": case,
        "alert": data.alert_id,
    }
    title = f"Payment of {amount} {_DONE.get(data.outcome, data.outcome)}: {data.transaction_id}"
    return Message(key, _line(title), severity, raised.known_time, why, facts, body)


def _of_overdue(raised: Envelope, data: CaseOverdue, severity: RuleSeverity, key: str) -> Message:
    due, who = to_rfc3339(data.due_time), data.assignee or "nobody"
    facts = {"case": data.case_id, "priority": str(data.priority), "alerts": str(data.alerts)}
    facts |= {"due": due, "assigned to": who, "alert": data.alert_id}
    told = {"base_amount_minor": data.base_amount, "expected_loss_minor": data.expected_loss}
    body = {
        **{name: getattr(data, name) for name in ("alert_id", "case_id", "priority", "alerts")},
        **told,
        "assignee": data.assignee,
        "due_at": due,
        "type": raised.type,
        "raised_at": to_rfc3339(raised.known_time),
        "severity": severity,
    }
    title = f"Case {data.case_id} is overdue since {due}, assigned to {who}"
    lines = [f"Nobody has dealt with {data.alerts} alerts of one payer in time."]
    return Message(key, _line(title), severity, raised.known_time, lines, facts, body)


def of_digest(raised: Sequence[Raised], key: str) -> Message:
    """Of one alert or more, the first raised first."""
    alerts = [each for each, _ in raised]
    payments = [each.data for each in alerts if isinstance(each.data, AlertRaised)]
    overdue = sum(isinstance(each.data, CaseOverdue) for each in alerts)
    outcomes = Counter(each.outcome for each in payments)
    merchants = Counter(each.merchant_id for each in payments if each.merchant_id)
    amounts: Counter[str] = Counter()
    for each in payments:
        amounts[each.currency] += each.amount
    severities = Counter(severity for _, severity in raised)
    first, last = to_rfc3339(alerts[0].known_time), to_rfc3339(alerts[-1].known_time)
    counted = ", ".join(f"{n} {_DONE.get(name, name)}" for name, n in sorted(outcomes.items()))
    facts = {
        "alerts": str(len(alerts)),
        "raised": f"{first} to {last}",
        "severities": ", ".join(f"{severities[s]} {s}" for s in SEVERITIES if severities[s]),
        "amount": ", ".join(_amount(sum_, name) for name, sum_ in sorted(amounts.items())),
        "merchants": ", ".join(f"{name} ({n})" for name, n in merchants.most_common(_MOST_NAMED)),
        "digest": key,
    }
    body: dict[str, Any] = {
        "type": DIGEST,
        "digest": key,
        "alerts": len(alerts),
        "models": len(alerts) - len(payments) - overdue,
        "overdue": overdue,
        "outcomes": dict(outcomes),
        "severities": dict(severities),
        "amounts_minor": dict(amounts),
        "merchants": dict(merchants.most_common(_MOST_NAMED)),
        "first_raised_at": first,
        "last_raised_at": last,
    }
    worst = max((severity for _, severity in raised), key=SEVERITIES.index)
    title = f"{len(alerts)} alerts at once" + (f": {counted}" if counted else "")
    lines = [f"Each is listed by: retrace alerts deliveries --key {key}"]
    facts = {name: fact for name, fact in facts.items() if fact}
    return Message(key, _line(title), worst, alerts[0].known_time, lines, facts, body)


def of_trial(route: str, moment: int) -> Message:
    """Says that nothing has happened."""
    key = f"{TRIAL}/{route}/{moment}"
    body = {"type": TRIAL, "route": route, "raised_at": to_rfc3339(moment)}
    title = f"Test of the route {route}: nothing has happened"
    return Message(
        key, title, "low", moment, ["Somebody tries this route."], {"route": route}, body
    )


def _amount(minor: int, currency: str) -> str:
    if currency not in EXPONENTS:
        return f"{minor} (minor units) {currency}"
    return f"{with_shown_amounts({'amount': minor, 'currency': currency})['amount']} {currency}"


def _line(text: str) -> str:
    """Ids come from outside: what would break a line or a header becomes a blank."""
    return "".join(c if c.isprintable() else " " for c in text)
