"""Usual names of columns, by the field that they fill."""

import re

FIELD_NAMES = {
    "transaction_id": "transactionid transid trxid txid txnid transnum transactionnumber paymentid",
    "timestamp": "timestamp txdatetime datetime transdatetranstime transactiontime transactiondate"
    " transactiondt createdat eventtime date time step unixtime",
    "amount": "amount amt txamount transactionamt transactionamount amountusd amountpaid total",
    "currency": "currency currencycode paymentcurrency",
    "card_id": "cardid card ccnum cardnumber pan",
    "customer_id": "customerid customer nameorig userid user clientid accountid account"
    " customerno customernumber accountno accountnumber payer sender",
    "merchant_id": "merchantid merchant namedest terminalid terminal merchantname"
    " merchantno payee shop store receiver",
    "mcc": "mcc merchantcategorycode",
    "device_id": "deviceid device",
    "ip": "ip ipaddress",
    "country": "country countrycode",
    "lat": "lat latitude",
    "lon": "lon long longitude",
    "channel": "channel",
}
LABEL_NAMES = "isfraud fraud txfraud fraudbool class label islaundering target fraudlabel fraudflag"
TIME_PARTS = ("year", "month", "day", "time")


def plain(name: str) -> str:
    """Lower case letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
