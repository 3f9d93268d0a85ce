"""Entries of lists from files: our CSV, and rows in the shapes that OFAC and the UN publish."""

from functools import partial
from pathlib import Path

import pytest

from commands.intake.tokens import Tokeniser
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError
from domain.events import ListEntry
from domain.times import HOUR, from_rfc3339
from operations.policy.list_files import Format, read_entries

TOKENISE = Tokeniser(bytes(16))
JANUARY = from_rfc3339("2026-01-31T00:00:00Z")
CLEAN = partial(list_keys, tokenise=TOKENISE)


def read(
    folder: Path, text: str, of: str = "card", form: Format = "csv"
) -> tuple[list[ListEntry], list[str]]:
    path = folder / "entries"
    path.write_text(text, encoding="utf-8")
    entries, faults = read_entries(path, of, CLEAN, form)
    return entries, [str(each).removeprefix(f"{path}:") for each in faults]


def test_values_have_an_end_and_a_reason_and_card_numbers_become_tokens(tmp_path: Path) -> None:
    entries, faults = read(
        tmp_path,
        "\ufeffvalue,until,reason\n"
        '4111 1111 1111 1111,2026-01-31,"reported, twice"\n'
        "c-1,2026-01-31T12:00:00+01:00,\n"
        "c-2,,\n"
        "c-2,,again\n",
    )
    assert faults == []
    assert entries == [
        ListEntry(TOKENISE("4111111111111111").token, JANUARY, "reported, twice"),
        ListEntry("c-1", JANUARY + 11 * HOUR),
        ListEntry("c-2", None, "again"),
    ]


@pytest.mark.parametrize(
    ("text", "of", "said"),
    [
        ("value\nDE\nXX\n", "country", "3:1: 'XX' is not an ISO 3166"),
        ("value\nDE\nDE,FR\n", "country", "3:1: is no csv: the line has more columns"),
        ("card\nc-1\n", "card", "1:1: is no csv: expected a first line with value"),
        ("value,until\nc-1,soon\n", "card", "2:1: "),
        ("value,reason\nc-1," + "x" * 201, "card", "2:1: a text is longer than 200"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, of: str, said: str
) -> None:
    assert [each[: len(said)] for each in read(tmp_path, text, of)[1]] == [said]


SDN = (
    '36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n'
    '173,"PETROV, Ivan","individual","SDNT] [IRAQ2","Director",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 1 Jan 1970; POB Nowhere."\n'
    "\x1a\n"
)
ALT = '36,12,"aka","AERO-CARIBBEAN",-0- \n173,13,"fka","IVANOV, Pyotr","weak"\n'


def test_the_names_and_aliases_of_ofac_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, SDN, "name", "ofac") == (
        [
            ListEntry("AEROCARIBBEAN AIRLINES", None, "OFAC 36 CUBA"),
            ListEntry("PETROV, Ivan", None, "OFAC 173 SDNT] [IRAQ2"),
        ],
        [],
    )
    assert read(tmp_path, ALT, "name", "ofac")[0] == [
        ListEntry("AERO-CARIBBEAN", None, "OFAC 36 aka"),
        ListEntry("IVANOV, Pyotr", None, "OFAC 173 fka"),
    ]
    assert read(tmp_path, "1,2,3\n", "name", "ofac")[1] == [
        "1:1: is no ofac: expected 12 or 5 columns"
    ]


UN = """<?xml version="1.0" encoding="utf-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-01-31T00:00:00Z">
  <INDIVIDUALS>
    <INDIVIDUAL>
      <DATAID>1</DATAID>
      <FIRST_NAME>IVAN</FIRST_NAME><SECOND_NAME>I.</SECOND_NAME><THIRD_NAME>PETROV</THIRD_NAME>
      <REFERENCE_NUMBER>XYi.001</REFERENCE_NUMBER>
      <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Vanya</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
    </INDIVIDUAL>
  </INDIVIDUALS>
  <ENTITIES>
    <ENTITY>
      <FIRST_NAME>ZETA TRADING</FIRST_NAME><REFERENCE_NUMBER>XYe.002</REFERENCE_NUMBER>
      <ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>Zeta Ltd</ALIAS_NAME></ENTITY_ALIAS>
    </ENTITY>
  </ENTITIES>
</CONSOLIDATED_LIST>
"""


def test_the_names_and_aliases_of_the_un_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, UN, "name", "un") == (
        [
            ListEntry("IVAN I. PETROV", None, "UN XYi.001"),
            ListEntry("Vanya", None, "UN XYi.001"),
            ListEntry("ZETA TRADING", None, "UN XYe.002"),
            ListEntry("Zeta Ltd", None, "UN XYe.002"),
        ],
        [],
    )
    assert "is no un" in read(tmp_path, UN[:400], "name", "un")[1][0]


def test_names_do_not_go_into_a_list_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="the list is one of card"):
        read(tmp_path, SDN, "card", "ofac")
