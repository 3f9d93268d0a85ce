"""Batch: consecutive transactions of a day, as records and texts."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.columns import CHANNELS, NO_IP, Columns
from simulator.frauds import FRAUD_KINDS
from simulator.names import Names
from simulator.population.geography import COUNTRIES, COUNTRY_CURRENCIES, ip_text
from simulator.records import SimulatedTransaction

_CURRENCIES = [currency.code for currency in COUNTRY_CURRENCIES]
_KINDS: list[str | None] = [None, *(kind.name for kind in FRAUD_KINDS)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Transactions in time order; ``id_stem`` and the row of the day make their ids."""

    id_stem: str
    first_row: int
    columns: Columns
    names: Names

    def __len__(self) -> int:
        return len(self.columns)

    def transactions(self) -> Iterator[SimulatedTransaction]:
        texts, columns = self.texts(), self.columns
        rows = zip(
            texts["transaction_id"], columns.timestamp.tolist(), columns.amount.tolist(),
            texts["currency"], texts["card_id"], texts["customer_id"], texts["merchant_id"],
            texts["mcc"], texts["device_id"], texts["ip"], texts["country"],
            columns.lat.tolist(), columns.lon.tolist(), texts["channel"],
            (dict(self.names.attributes[card]) for card in columns.card.tolist()),
            (columns.kind > 0).tolist(), texts["fraud_kind"], strict=True,
        )  # fmt: skip
        for row in rows:
            yield SimulatedTransaction(*row)

    def texts(self) -> dict[str, list[str | None]]:
        """The columns that are text, by canonical name."""
        names, columns = self.names, self.columns
        country = columns.country.tolist()
        merchant = columns.merchant.tolist()
        rows = range(self.first_row, self.first_row + len(columns))
        return {
            "transaction_id": [transaction_id(self.id_stem, row) for row in rows],
            "currency": [_CURRENCIES[index] for index in country],
            "card_id": [names.cards[index] for index in columns.card.tolist()],
            "customer_id": [names.customers[index] for index in columns.customer.tolist()],
            "merchant_id": [names.merchants[index] for index in merchant],
            "mcc": [names.mccs[index] for index in merchant],
            "device_id": names.devices(columns.device),
            "ip": [None if ip == NO_IP else ip_text(ip) for ip in columns.ip.tolist()],
            "country": [COUNTRIES[index] for index in country],
            "channel": [CHANNELS[index] for index in columns.channel.tolist()],
            "fraud_kind": [_KINDS[index] for index in columns.kind.tolist()],
        }


def transaction_id(id_stem: str, row: int) -> str:
    return f"{id_stem}-{row:06d}"
