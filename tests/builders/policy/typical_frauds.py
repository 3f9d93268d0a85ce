"""Answers of `POST /score` to five typical frauds under the default policy, for docs/policy.md.

`python -m tests.builders.policy.typical_frauds` writes them anew.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from commands.intake.tokens import Tokeniser
from commands.policy.active import ActivePolicy
from commands.policy.adapters.cel import CelLanguage
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.rule_values import TYPES
from domain.times import DAY, MINUTE, to_rfc3339
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import DEFAULT_FOLDER, RulePublisher
from tests.builders.api_bench import running
from tests.fakes.deciding import NOW, FixedScorer

DOCS = Path(__file__).parents[3] / "docs" / "policy.md"
BEGIN, END = "<!-- answers: begin -->\n", "<!-- answers: end -->\n"
SCORE = 0.1
"""The model sees nothing in any of them, so that what is shown is the policy's doing."""
_SHOWN = ("transaction_id", "score", "outcome", "reasons", "path")

Payload = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Payments of before, and the fraud. Rules of `acting` are shadows in the default policy."""

    title: str
    told: str
    before: Sequence[Payload]
    fraud: Payload
    acting: tuple[str, ...] = ()


def _at(before: int, **fields: Any) -> Payload:
    return {"timestamp": to_rfc3339(NOW - before), "currency": "EUR", **fields}


_HOME: Payload = {
    "customer_id": "anna", "card_id": "anna-card", "device_id": "anna-phone", "country": "DE",
    "merchant_id": "grocer", "channel": "ecom", "ip": "203.0.113.7",
}  # fmt: skip
_SHOP: Payload = {
    "channel": "pos", "customer_id": "ben", "card_id": "ben-card", "device_id": "till-7",
    "merchant_id": "kiosk", "ip": "203.0.113.8",
}  # fmt: skip
_NIGHTS = [_at((n + 1) * DAY, **_HOME, amount=20 + n) for n in range(5)]

STORIES = (
    Story(
        "Card testing",
        "Six stolen cards are tried on one device within minutes, with small amounts.",
        [
            _at(
                (6 - n) * MINUTE, amount=1, channel="ecom", device_id="bot",
                merchant_id="donations", card_id=f"stolen-{n}",
                customer_id=f"guest-{n}", ip="198.51.100.4",
            )
            for n in range(5)
        ],
        _at(
            0, amount=1, channel="ecom", device_id="bot", merchant_id="donations",
            card_id="stolen-5", customer_id="guest-5", ip="198.51.100.4",
        ),
    ),
    Story(
        "Account takeover",
        "Anna pays 20 to 24 at home, from her phone. Now somebody signs in as her abroad.",
        _NIGHTS,
        _at(
            0, **_HOME | {"device_id": "other", "country": "BR", "ip": "198.51.100.9"},
            amount=480,
        ),
    ),
    Story(
        "Impossible travel",
        "A copy of Ben's card pays in New York an hour after the card paid in Berlin.",
        [_at(60 * MINUTE, **_SHOP, lat=52.5, lon=13.4, country="DE", amount=12)],
        _at(
            0, **_SHOP | {"merchant_id": "deli", "device_id": "till-9"}, lat=40.7, lon=-74.0,
            country="US", amount=90,
        ),
    ),
    Story(
        "Mule payee",
        "Five people sent money to an account today that nobody sent any to before.",
        [
            _at(
                (n + 1) * 30 * MINUTE, channel="transfer", merchant_id="mule", amount=900,
                customer_id=f"payer-{n}", card_id=f"payer-{n}-card", device_id=f"payer-{n}-phone",
                ip=f"203.0.113.{20 + n}",
            )
            for n in range(5)
        ],
        _at(
            0, **_HOME | {"channel": "transfer", "merchant_id": "mule"}, amount=950,
        ),
        ("mule-payee",),
    ),
    Story(
        "New device and new payee with a high amount",
        "Anna's account, at home, but on a device and to a shop that she never used.",
        _NIGHTS,
        _at(0, **_HOME | {"device_id": "other", "merchant_id": "jeweller"}, amount=640),
        ("new-device-and-payee",),
    ),
)  # fmt: skip


def default_policy(acting: Sequence[str] = ()) -> ActivePolicy:
    """As published from its folder; shadows of these names act."""
    language = CelLanguage(TYPES)
    log = InMemoryEventLog()
    clean = partial(list_keys, tokenise=Tokeniser(b"t" * 32))
    RulePublisher(log, language, clean, "docs").publish(DEFAULT_FOLDER, "docs")
    snapshot = current_policy(log)
    log.close()
    assert snapshot.rules is not None
    rules = tuple(
        replace(each, shadow=each.shadow and each.name not in acting)
        for each in snapshot.rules.rules
    )
    rule_set = replace(snapshot.rules, rules=rules)
    compiled = language.compile(rules, rule_set.lists)
    return ActivePolicy(replace(snapshot, rules=rule_set), FixedScorer(SCORE), rules=compiled)


async def answer(story: Story, acting: Sequence[str] = ()) -> dict[str, Any]:
    """Of `POST /score`, in a process of its own."""
    async with running(InMemoryEventLog(), policy=default_policy(acting)) as api:
        for number, each in enumerate(story.before):
            (
                await api.post("/score", {"transaction_id": f"before-{number}", **each})
            ).raise_for_status()
        response = await api.post("/score", {"transaction_id": "t-1", **story.fraud})
        found: dict[str, Any] = response.raise_for_status().json()
    return found


async def answers() -> list[tuple[Story, list[dict[str, Any]]]]:
    """Of each story as the policy ships and, where its rule is a shadow, as it is with it."""
    return [
        (story, [await answer(story, acting) for acting in dict.fromkeys([(), story.acting])])
        for story in STORIES
    ]


def page(found: list[tuple[Story, list[dict[str, Any]]]]) -> str:
    """The part of the page between its marks."""
    parts = [BEGIN]
    for story, (shipped, *acting) in found:
        sent = json.dumps({"transaction_id": "t-1", **story.fraud})
        parts.append(f"\n### {story.title}\n{story.told}\n\n```\nPOST /score {sent}\n\n")
        parts.append(_shown(shipped) + "```\n")
        for each in acting:
            rule = story.acting[0]
            parts.append(f"\nThe rule `{rule}` ships as a shadow. Without `shadow: true`:\n\n```\n")
            parts.append(_shown(each) + "```\n")
    return "".join([*parts, "\n", END])


def _shown(found: dict[str, Any]) -> str:
    short = {key: found[key] for key in _SHOWN}
    return json.dumps(short, indent=2) + "\n"


def in_docs(text: str) -> str:
    """What the page has between the marks."""
    return BEGIN + text.split(BEGIN, 1)[1].split(END, 1)[0] + END


def main() -> None:
    text = DOCS.read_text()
    DOCS.write_text(text.replace(in_docs(text), page(asyncio.run(answers()))))


if __name__ == "__main__":
    main()
