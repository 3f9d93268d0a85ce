"""Payload cleaner: turns a payload into a transaction under the keys of this installation."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.intake.tokens import Tokeniser
from domain.cleaning.absent import USUAL, AbsentWords
from domain.cleaning.cards import redact, tokenise_text
from domain.cleaning.digest import content_digest, content_digests
from domain.cleaning.transaction import clean_transaction
from domain.money import AS_WRITTEN, AmountStyle, Rates
from domain.transactions import Transaction


class PayloadCleaner:
    """One for each process; the keys are the same in the whole installation."""

    def __init__(
        self,
        tokeniser: Tokeniser,
        digest_key: bytes,
        rates: Rates,
        default_currency: str,
        words: AbsentWords = USUAL,
    ) -> None:
        self.tokenise, self._digest_key = tokeniser, digest_key
        self.rates, self.default_currency = rates, default_currency
        self.words = words

    def clean(
        self,
        payload: Mapping[str, Any],
        now: int,
        style: AmountStyle = AS_WRITTEN,
        words: AbsentWords | None = None,
    ) -> Transaction:
        """`style` is how a file writes its amounts, `words` what it writes for no value.

        Raises InvalidTransactionError, which names every field that is wrong.
        """
        return clean_transaction(
            payload,
            now=now,
            tokenise=self.tokenise,
            rates=self.rates,
            default_currency=self.default_currency,
            style=style,
            words=words or self.words,
        )

    def digest(self, transaction: Transaction) -> str:
        return content_digest(transaction, self._digest_key)

    def digests(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Of transactions whose fields are columns; one that is not there is None in all."""
        return content_digests(columns, self._digest_key)

    def redact(self, raw: str, transaction: Transaction) -> str:
        """The payload as received, card numbers replaced by their tokens, ids left alone."""
        ids = (
            transaction.transaction_id,
            transaction.customer_id,
            transaction.merchant_id,
            transaction.device_id,
        )
        return redact(raw, self.tokenise, keep=[each for each in ids if each])

    def text(self, text: str, keep: str) -> str:
        """Card numbers in any other text replaced; `keep` is an id that stays."""
        return tokenise_text(text, self.tokenise, keep=[keep])
