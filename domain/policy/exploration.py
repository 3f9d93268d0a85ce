"""Exploration: a declared share of payments that would be declined is let pass, to learn from them.

What is declined is never labelled, so nobody can tell what declining prevents, or what another
policy would have let pass. Where a few of these payments pass by a known chance, their labels
stand for the others (Horvitz and Thompson 1952).

Explored is only what the whole policy looked at and would decline: on the full path, with its rules
evaluated, and where every rule that acted against the payment says `explore: true`. A rule acts
against it that reviews, steps up, declines or adds points. So a list of denied cards, or a review
of sanctioned names, holds whatever the share.
"""

from collections.abc import Collection
from dataclasses import dataclass

from domain.events.transactions import Exploration, Outcome, Path
from domain.policy.rollout import WHOLE, in_roll_out
from domain.policy.rules.ruling import RULES_FAILED, Ruling

LETS_PASS = "exploration.passed"
"""The reason of an approval that would have been a decline."""


@dataclass(frozen=True, slots=True)
class Arm:
    """`share` in basis points, of the ids that the `salt` chooses, as a roll-out chooses its own.

    An id that passes at one share passes at every greater one of the same salt.
    """

    share: int
    salt: str

    def of(
        self, transaction_id: str, path: Path, flags: Collection[str], ruling: Ruling | None
    ) -> Exploration | None:
        """Of a payment that would be declined; None where it may not be explored."""
        hard = ruling is not None and ruling.firm
        if path != "full" or RULES_FAILED in flags or hard:
            return None
        return self.chance_of(transaction_id)

    def chance_of(self, transaction_id: str) -> Exploration:
        """Of one that may be explored."""
        passes = in_roll_out(transaction_id, f"exploration/{self.salt}", self.share)
        return Exploration(share=self.share, explored=passes)


def judged(outcome: Outcome, exploration: Exploration | None) -> Outcome:
    """What the policy made of a payment: a decline, also where exploration let it pass."""
    return "decline" if exploration is not None and exploration.explored else outcome


def arm_of(share: int, salt: str) -> Arm | None:
    """None where nothing is explored."""
    return Arm(min(share, WHOLE), salt) if share > 0 else None
