"""Labels of disposals: each is recorded where its payment is answered for."""

from api.serving.forwarding import Answered, Forwarding, Sent
from commands import Context
from commands.labels.label import LabelTransaction, label_transaction, to_payload
from domain.errors import UnavailableError


async def label_at_owner(
    forwarding: Forwarding, context: Context, command: LabelTransaction
) -> None:
    """Durable when it returns. Raises UnavailableError, after which a repetition is harmless."""

    async def here() -> None:
        await label_transaction(command, context)

    def recorded(answered: Answered) -> None:
        if answered.status not in (200, 201):
            told = f"the label of {command.transaction_id!r} was answered {answered.status}"
            raise UnavailableError("api", f"{told}; retry under the same reference")

    sent = Sent("POST", "/labels", to_payload(command))
    await forwarding.at_owner(command.transaction_id, here, sent, recorded)
