"""Every file and module that documents, comments and docstrings name exists."""

import pytest

from faults.schedules.table import SCHEDULES
from tests.architecture.references import missing, prose
from tests.architecture.tree import ROOT, files
from tests.mutation.fault_mutants import PLANTED
from tests.mutation.mutants import MUTANTS

HERE = ROOT / "docs" / "architecture.md"


def test_what_documents_comments_and_docstrings_name_exists() -> None:
    read = [
        path
        for path in files()
        if path.suffix == ".py" or (path.suffix == ".md" and path.name != "CHANGELOG.md")
    ]
    assert len(read) > 400
    wrong = {
        str(path.relative_to(ROOT)): found for path in read if (found := missing(prose(path), path))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "domain/nowhere.py",
        "domain/nowhere",
        "docs/adr/0999",
        "nowhere.py",
        "docs/nowhere.md",
        "eventlog.nowhere",
        "eventlog.codec.nothing",
        "commands.nowhere.inbox",
    ],
)
def test_a_reference_that_leads_nowhere_is_found(wrong: str) -> None:
    assert missing(f"First (`{wrong}`), then {wrong}.", HERE) == [wrong, wrong]


def test_a_link_is_relative_to_its_document_and_its_heading_exists() -> None:
    assert missing("[here](archive.md), [heading](models.md#the-artefact)", HERE) == []
    wrong = ["README.md", "models.md#nowhere", "#nowhere"]
    assert missing(" ".join(f"[no]({link})" for link in wrong), HERE) == wrong


@pytest.mark.parametrize(
    "right",
    [
        "domain/events",
        "docs/adr/0012",
        "docs/architecture.md",
        "eventlog.codec.decode",
        "projections/<name>/states.py",
        "domain/*.py",
        "https://localhost:8000/docs/nowhere.md",
        "/usr/local/nowhere.py",
        "run/stack.json",
        "fraud.transaction.scored",
    ],
)
def test_what_exists_and_what_is_no_reference_passes(right: str) -> None:
    assert missing(f"See `{right}` and {right}.", HERE) == []


def test_each_planted_bug_stands_in_for_a_text_that_is_once_in_its_file() -> None:
    """Or nobody would know, for they are not planted by `retrace test`."""
    texts = {each.file: (ROOT / each.file).read_text() for each in PLANTED}
    assert [each.name for each in PLANTED if texts[each.file].count(each.before) != 1] == []
    for each in PLANTED:
        compile(texts[each.file].replace(each.before, each.after), each.file, "exec")
    assert {name for each in PLANTED for name in each.schedules} <= set(SCHEDULES)
    texts = {each.file: (ROOT / each.file).read_text() for each in MUTANTS}
    assert [each.name for each in MUTANTS if texts[each.file].count(each.before) <= each.at] == []
