"""Rows in the shape of public data sets, imported under the mappings that ship."""

from pathlib import Path

import pytest

from commands.imports.mapping.yaml_file import load_mapping
from domain.errors import FieldError, InvalidInputError
from domain.events import TransactionImported, TransactionLabelled
from domain.times import from_rfc3339, to_rfc3339
from domain.transactions import Transaction
from tests.builders.import_files import TOKENISE, Imported, cleaner, run_import

NOW = from_rfc3339("2026-06-01T00:00:00Z")
CARD = "4111111111111111"


def imported(folder: Path, name: str, text: str) -> Imported:
    path = folder / f"{name}.csv"
    path.write_text(text)
    return run_import(path, of=load_mapping(name), now=NOW)


def transactions(done: Imported) -> list[Transaction]:
    return [event.data.transaction for event in done.of(TransactionImported)]


def labels(done: Imported) -> list[tuple[str, int]]:
    return [(event.subject, event.data.value) for event in done.of(TransactionLabelled)]


def moments(done: Imported) -> list[str]:
    return [to_rfc3339(each.timestamp) for each in transactions(done)]


TABFORMER = (
    "User,Card,Year,Month,Day,Time,Amount,Use Chip,Merchant Name,Merchant City,Merchant State,"
    "Zip,MCC,Errors?,Is Fraud?\n"
    "7,0,2019,3,4,06:21,$57.20,Swipe Transaction,3527213246127876953,La Verne,CA,90001.0,5411,,No\n"
    "8,0,2019,3,4,06:22,$1.00,Online Transaction,-727612092139916043,ONLINE,,,5411,,Yes\n"
    "7,0,2019,3,4,06:23,$-57.20,Chip Transaction,3527213246127876953,La Verne,CA,,5411,,No\n"
)


def test_o11_tabformer(tmp_path: Path) -> None:
    done = imported(tmp_path, "tabformer", TABFORMER)
    first, second = transactions(done)
    assert moments(done) == ["2019-03-04T06:21:00Z", "2019-03-04T06:22:00Z"]
    assert (first.amount, first.currency) == (5720, "USD")
    assert (first.card_id, second.card_id) == ("7/0", "8/0")
    assert (first.customer_id, first.mcc, first.channel) == ("7", "5411", "pos")
    assert second.merchant_id == "-727612092139916043"
    assert labels(done) == [(first.transaction_id, 0), (second.transaction_id, 1)]
    (refund,) = done.rejects
    assert (refund.line, refund.field) == (4, "amount")
    assert "refund" in refund.reason
    again = imported(tmp_path, "tabformer", TABFORMER)
    assert again.log.appended == done.log.appended
    (tmp_path / "other").mkdir()
    longer = imported(tmp_path / "other", "tabformer", TABFORMER + TABFORMER.splitlines()[1] + "\n")
    assert [t.transaction_id for t in transactions(longer)][:2] == [
        first.transaction_id,
        second.transaction_id,
    ]
    assert longer.summary.accepted == 3


def test_o12_paysim(tmp_path: Path) -> None:
    row = "{},CASH_OUT,181.0,C{},181.0,0.0,C38997010,21182.0,0.0,{},0\n"
    header = (
        "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,"
        "newbalanceDest,isFraud,isFlaggedFraud\n"
    )
    rows = "".join(row.format(step, n, int(n == 2)) for n, step in enumerate((1, 1, 1, 2)))
    done = imported(tmp_path, "paysim", header + rows)
    found = transactions(done)
    assert moments(done) == [
        "2024-01-01T01:00:00Z", "2024-01-01T01:00:00.000001Z", "2024-01-01T01:00:00.000002Z",
        "2024-01-01T02:00:00Z",
    ]  # fmt: skip
    assert [each.customer_id for each in found] == ["C0", "C1", "C2", "C3"]
    assert {each.channel for each in found} == {"atm"}
    assert all(each.attributes == {} for each in found)
    assert sorted(value for _, value in labels(done)) == [0, 0, 0, 1]


def test_o13_ieee_cis(tmp_path: Path) -> None:
    text = (
        "TransactionID,isFraud,TransactionDT,TransactionAmt,ProductCD,card1,card2,card4,addr1\n"
        "2987240,1,90193,37.098,C,13413,,visa,315.0\n2987241,0,90246,59.0,W,13413,,visa,315\n"
    )
    path = tmp_path / "ieee-cis.csv"
    path.write_text(text)
    done = run_import(path, of=load_mapping("ieee-cis"), now=NOW)
    first, second = transactions(done)
    assert moments(done)[0] == "2017-12-02T01:03:13Z"
    assert (first.transaction_id, first.amount) == ("2987240", 3710)
    assert first.card_id == second.card_id == "13413//315"
    assert done.summary.cleaned_fields["amount"] == 1
    assert done.summary.notes["amounts rounded to the decimals of their currency"] == 1
    strict = run_import(path, ["amount=TransactionAmt"], of=load_mapping("ieee-cis"), now=NOW)
    (reject,) = strict.rejects
    assert reject.errors == [FieldError("amount", "has more decimals than USD has (2)")]
    assert strict.summary.rejected_reasons == {"amount: has more decimals than USD has (2)": 1}


def test_o13_cards_that_lack_different_parts_are_different_cards(tmp_path: Path) -> None:
    parts = [
        "7919,,444",
        "7919,444,",
        "7919,444,444",
        "7919,,",
        ",7919,444",
        "7919.0,-1,444",
        ",nan,",
    ]
    rows = [f"{n},0,{n * 60},5.5,W,{part}\n" for n, part in enumerate(parts)]
    path = tmp_path / "cards.csv"
    header = "TransactionID,isFraud,TransactionDT,TransactionAmt,ProductCD,card1,card2,addr1\n"
    path.write_text(header + "".join(rows))
    cards = [
        x.card_id for x in transactions(run_import(path, of=load_mapping("ieee-cis"), now=NOW))
    ]
    first, second, third, fourth, fifth, sixth, none = cards
    assert len({first, second, third, fourth, fifth}) == 5
    assert (sixth, none) == (first, None)


def test_o14_banksim(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "banksim",
        "step,customer,age,gender,zipcodeOri,merchant,zipMerchant,category,amount,fraud\n"
        "0,'C101','4','M','28007','M201','28007','es_x',4.55,0\n",
    )
    (found,) = transactions(done)
    assert (found.customer_id, found.merchant_id, found.amount) == ("C101", "M201", 455)
    assert found.attributes["category"] == "es_x"
    by_api = {"transaction_id": "1", "timestamp": 1717149600, "amount": 1, "customer_id": "C101"}
    assert cleaner().clean(by_api, NOW).customer_id == found.customer_id
    quoted = cleaner().clean({**by_api, "customer_id": "'C101'"}, NOW)
    assert quoted.customer_id == found.customer_id


def test_o15_sparkov(tmp_path: Path) -> None:
    header = (
        ",trans_date_trans_time,cc_num,merchant,category,amt,lat,long,trans_num,unix_time,"
        "merch_lat,merch_long,is_fraud\n"
    )
    row = (
        "{0},2019-01-01 00:00:18,{1},fraud_Rippin,misc_net,4.97,36.1,-81.2,t{0},1325376018,36,-82,0"
    )
    cards = (CARD, CARD, "60416207185")
    path = tmp_path / "sparkov.csv"
    path.write_text(header + "".join(row.format(n, c) + "\n" for n, c in enumerate(cards)))
    done = run_import(path, of=load_mapping("sparkov"), now=NOW)
    found = transactions(done)
    assert CARD not in repr(done.log.appended)
    assert found[0].card_id == found[1].card_id == TOKENISE(CARD).token
    assert found[2].card_id == "60416207185"
    assert (found[0].lat, found[0].lon) == (36.0, -82.0)
    assert moments(done) == ["2019-01-01T00:00:18Z"] * 3
    assert done.summary.notes == {"times without an offset, read as UTC": 3}


def test_o16_creditcard_and_baf(tmp_path: Path) -> None:
    done = imported(
        tmp_path, "creditcard", 'Time,V1,Amount,"Class"\n0,-1.36,149.62,"0"\n0,1.19,2.69,"1"\n'
    )
    assert moments(done) == ["2013-09-01T00:00:00Z", "2013-09-01T00:00:00.000001Z"]
    assert [each.amount for each in transactions(done)] == [14962, 269]
    assert [value for _, value in labels(done)] == [0, 1]
    done = imported(
        tmp_path,
        "baf",
        "fraud_bool,income,prev_address_months_count,proposed_credit_limit,source,device_os,month\n"
        "1,0.9,-1,1500.0,INTERNET,windows,3\n",
    )
    (found,) = transactions(done)
    assert moments(done) == ["2024-04-01T00:00:00Z"]
    assert (found.amount, found.channel, found.customer_id) == (150000, "ecom", None)


def test_o18_ibm_aml(tmp_path: Path) -> None:
    row = "2022/09/01 00:{0:02d},010,8000EBD30,{0:02d},8000EBD30,{1},{2},{1},{2},{3},{4}\n"
    made = ((3697.34, "US Dollar", "Reinvestment", 0), (14675.5, "Yen", "Wire", 1))
    lines = [row.format(n, *each) for n, each in enumerate((*made, (0.5, "Bitcoin", "ACH", 0)))]
    done = imported(
        tmp_path,
        "ibm-aml",
        "Timestamp,From Bank,Account,To Bank,Account,Amount Received,Receiving Currency,"
        "Amount Paid,Payment Currency,Payment Format,Is Laundering\n" + "".join(lines),
    )
    to_self, yen = transactions(done)
    assert to_self.customer_id == "010/8000EBD30"
    assert (to_self.merchant_id, to_self.channel) == ("00/8000EBD30", "other")
    assert (yen.amount, yen.currency, yen.channel) == (14676, "JPY", "transfer")
    assert done.summary.notes["amounts rounded to the decimals of their currency"] == 1
    assert done.summary.rejected_reasons == {
        "currency: has 'Bitcoin', which the mapping does not list under values": 1
    }


def test_the_handbook(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "handbook",
        "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,"
        "TX_FRAUD,TX_FRAUD_SCENARIO\n0,2018-04-01 00:00:31,0,3156,57.16,31,0,0,0\n",
    )
    (found,) = transactions(done)
    assert (found.card_id, found.customer_id, found.merchant_id) == ("0", "0", "3156")
    assert found.attributes == {}


@pytest.mark.parametrize("name", ["creditcard", "baf"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"no column '.*' in the file; it has a, b"):
        imported(tmp_path, name, "a,b\n1,2\n")
