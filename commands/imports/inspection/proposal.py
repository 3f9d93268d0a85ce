"""Proposal of a mapping for a file: why each part, and what the file does not tell."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from commands.imports.inspection.profile import Profile
from commands.imports.mapping.model import Counter, FieldMapping, FileMapping, LabelMapping

_START = "2020-01-01T00:00:00Z"
_SECONDS_FROM = 100_000.0
_EPOCH = 631_152_000.0  # 1990, in seconds
_NAMES = {
    "transaction_id": "transactionid transid trxid txid txnid transnum transactionnumber paymentid",
    "timestamp": "timestamp txdatetime datetime transdatetranstime transactiontime transactiondate"
    " transactiondt createdat eventtime time date step unixtime",
    "amount": "amount amt txamount transactionamt transactionamount amountusd amountpaid total",
    "currency": "currency currencycode paymentcurrency",
    "card_id": "cardid card ccnum cardnumber pan",
    "customer_id": "customerid customer nameorig userid user clientid accountid account",
    "merchant_id": "merchantid merchant namedest terminalid terminal merchantname",
    "mcc": "mcc merchantcategorycode",
    "device_id": "deviceid device",
    "ip": "ip ipaddress",
    "country": "country countrycode",
    "lat": "lat latitude",
    "lon": "lon long longitude",
    "channel": "channel",
}
_LABELS = "isfraud fraud txfraud fraudbool class label islaundering target fraudlabel"
_PARTS = ("year", "month", "day", "time")


@dataclass(frozen=True, slots=True)
class Proposal:
    """`reasons` are by field; `missing` is what must be added or checked before an import."""

    mapping: FileMapping
    reasons: Mapping[str, str]
    missing: tuple[str, ...]


def propose(
    profiles: Sequence[Profile],
    shipped: Mapping[str, FileMapping],
    fits: Callable[[FileMapping], bool],
) -> Proposal:
    """A shipped mapping all of whose columns the file has; else fields by name and content.

    `fits` tells whether rows of the file are taken under a mapping.
    """
    columns = {profile.name for profile in profiles}
    matching = [
        (len(used), name)
        for name, mapping in shipped.items()
        if len(used := _columns_of(mapping)) > 2 and used <= columns and fits(mapping)
    ]
    if matching:
        name = max(matching)[1]
        reason = f"its columns are those of the mapping {name!r}, which ships"
        return Proposal(shipped[name], {"mapping": reason}, _assumed(shipped[name]))
    return _by_names(profiles)


def _columns_of(mapping: FileMapping) -> set[str]:
    used = {mapping.label.column} if mapping.label else set()
    for field in mapping.fields.values():
        used |= set(field.sources)
    return used


def _assumed(mapping: FileMapping) -> tuple[str, ...]:
    counter = mapping.fields["timestamp"].counter if "timestamp" in mapping.fields else None
    if counter is None:
        return ()
    return (
        f"the file does not tell when its count of {counter.unit}s starts: check"
        f" fields.timestamp.counter.start, which is {counter.start}",
    )


def _by_names(profiles: Sequence[Profile]) -> Proposal:
    known = {_plain(profile.name): profile for profile in reversed(profiles)}
    fields: dict[str, FieldMapping] = {}
    reasons: dict[str, str] = {}
    missing: list[str] = []
    for field, names in _NAMES.items():
        found = next((known[name] for name in names.split() if name in known), None)
        if found is not None:
            fields[field] = FieldMapping(column=found.name)
            reasons[field] = f"column {found.name!r}, by its name"
    if all(part in known for part in _PARTS):
        fields["timestamp"] = FieldMapping(columns=tuple(known[part].name for part in _PARTS))
        reasons["timestamp"] = "four columns hold the parts of a time"
    elif "timestamp" in fields:
        _time(
            fields,
            reasons,
            missing,
            next(p for p in profiles if p.name == fields["timestamp"].column),
        )
    else:
        missing.append("no column is known as a time: add fields.timestamp")
    chosen = fields.get("transaction_id")
    if chosen is None or not next(p for p in profiles if p.name == chosen.column).unique:
        fields["transaction_id"] = FieldMapping(row=True)
        reasons["transaction_id"] = "no column is known as an id that each row has for itself"
        missing.append("the file has no ids: they are made of each row's content and line")
    if "amount" not in fields:
        missing.append("no column is known as an amount: add fields.amount")
    if not {"card_id", "customer_id"} & fields.keys():
        missing.append(
            "no column tells who pays: without card_id or customer_id few features count"
        )
    label = next((known[name] for name in _LABELS.split() if name in known), None)
    if label is not None:
        reasons["label"] = f"column {label.name!r}, by its name"
    mapping = FileMapping(fields=fields, label=LabelMapping(label.name) if label else None)
    return Proposal(mapping, reasons, tuple(missing))


def _time(
    fields: dict[str, FieldMapping], reasons: dict[str, str], missing: list[str], found: Profile
) -> None:
    if found.kind not in ("integer", "number"):
        return
    most = float(found.most.replace(",", "") or 0)
    if most >= _EPOCH:
        return
    counter = Counter("second" if most >= _SECONDS_FROM else "hour", _START)
    fields["timestamp"] = FieldMapping(column=found.name, counter=counter)
    reasons["timestamp"] = f"column {found.name!r} counts up to {found.most}: {counter.unit}s?"
    missing.append(
        f"the file tells neither start nor unit of {found.name!r}: set"
        f" fields.timestamp.counter.start and .unit, which are {_START} and {counter.unit}"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
