"""The tree keeps its own rules: names, sizes, first lines, locks, and no host of any registry."""

import ast
import re
from collections import Counter
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.tree import ROOT, files, modules, packages, parsed, python_files

MOST_LINES = 300
MOST_MODULES = 12
# A list in the order of time, which only grows.
LISTS = ("migrations/versions",)
LOCKS = ("requirements.lock", "requirements-dev.lock")

# In two parts each, for this file is searched as well.
HOSTS = tuple(
    name + "." + suffix
    for name, suffix in [
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("npm" + "js", "org"),
        ("npm" + "js", "com"),
        ("yarn" + "pkg", "com"),
        ("maven", "org"),
        ("maven.apache", "org"),
        ("son" + "atype", "org"),
        ("jc" + "enter.bintray", "com"),
        ("crates", "io"),
        ("docker", "io"),
        ("docker", "com"),
        ("gh" + "cr", "io"),
        ("gcr", "io"),
        ("quay", "io"),
        ("ana" + "conda", "org"),
        ("golang", "org"),
        ("ruby" + "gems", "org"),
        ("nu" + "get", "org"),
        ("hugging" + "face", "co"),
    ]
)


def test_every_package_of_the_wheel_is_there() -> None:
    assert [name for name in packages() if not (ROOT / name / "__init__.py").is_file()] == []


def test_every_package_of_the_tree_is_in_the_wheel() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found - {"tests"} == set(packages())


def test_no_other_distribution_brings_a_package_of_our_names() -> None:
    distributions = packages_distributions()
    taken = {name: set(distributions.get(name, ())) - {"retrace"} for name in packages()}
    assert {name: who for name, who in taken.items() if who} == {}


def test_no_file_is_longer_than_may_be_read_at_once() -> None:
    lengths = {name: text.count("\n") for name, text in python_files().items()}
    assert len(lengths) > 150
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_folder_holds_more_modules_than_can_be_taken_in_at_once() -> None:
    names = [name for name in python_files() if not name.endswith("__init__.py")]
    sizes = Counter(name.rpartition("/")[0] for name in names)
    full = {name: size for name, size in sizes.items() if size > MOST_MODULES}
    assert {name: size for name, size in full.items() if name not in LISTS} == {}


def test_no_package_holds_more_than_a_fifth_of_the_code() -> None:
    code = {name: text.count("\n") for name, text in python_files().items()}
    sizes = {p: sum(n for name, n in code.items() if name.startswith(f"{p}/")) for p in packages()}
    assert {name: size for name, size in sizes.items() if 5 * size > sum(sizes.values())} == {}


def test_every_module_says_in_its_first_line_what_it_holds() -> None:
    told = {
        str(path.relative_to(ROOT)): ast.get_docstring(parsed(path.read_text()), clean=False)
        for path in modules()
    }
    firsts = {name: (text or "").partition("\n")[0].strip() for name, text in told.items()}
    assert {name: first for name, first in firsts.items() if not first or "Owns" in first} == {}


def test_no_file_names_the_host_of_a_registry() -> None:
    wanted = re.compile("|".join(re.escape(host) for host in HOSTS), re.IGNORECASE)
    named = []
    for path in files():
        found = wanted.search(path.read_bytes().decode("utf-8", "replace"))
        if found:
            named.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert named == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_of_a_lock_has_one_version_and_a_hash(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert len(lines) > 50
    wrong = [
        line
        for line in lines
        if not re.match(r"^[A-Za-z0-9._\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert wrong == []


def test_the_development_lock_agrees_with_the_other_one() -> None:
    run, dev = ({m[1]: m[2] for m in _pins(name)} for name in LOCKS)
    assert {name: (pin, dev.get(name)) for name, pin in run.items() if dev.get(name) != pin} == {}


def _pins(name: str) -> list[re.Match[str]]:
    return list(re.finditer(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
