"""Layers: the contracts of .importlinter cover the whole tree, and a planted import breaks each."""

from copy import deepcopy
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from grimp import ImportGraph, build_graph
from importlinter.api import read_configuration
from importlinter.application.use_cases import _get_built_in_contract_types
from importlinter.domain.contract import Contract

from tests.architecture.tree import ROOT, packages

CONFIGURATION = read_configuration(str(ROOT / ".importlinter"))
KINDS = dict(_get_built_in_contract_types())
# A package of more modules than this has its layers spelt out.
MANY = 12


@cache
def graph() -> ImportGraph:
    roots = CONFIGURATION["session_options"]["root_packages"]
    return build_graph(*roots, include_external_packages=True, cache_dir=None)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def options_of(kind: str) -> list[dict[str, Any]]:
    return [each for each in CONFIGURATION["contracts_options"] if each["type"] == kind]


def kept(options: dict[str, Any], of: ImportGraph) -> bool:
    session = CONFIGURATION["session_options"]
    contract: Contract = KINDS[options["type"]](options["name"], session, options)
    return bool(contract.check(deepcopy(of), verbose=False).kept)


def planted(importer: str, imported: str) -> ImportGraph:
    """The tree with one import more, between two modules of these packages."""
    changed = deepcopy(graph())
    changed.add_import(importer=_module(importer), imported=_module(imported))
    return changed


def _module(package: str) -> str:
    if package.partition(".")[0] not in packages():
        return package
    return min(graph().find_descendants(package), default=package)


def layer_pairs() -> list[tuple[dict[str, Any], str, str]]:
    """(contract, lower, higher): every import that some layers contract forbids."""
    pairs = []
    for options in options_of("layers"):
        for container in options.get("containers", [""]):
            prefix = f"{container}." if container else ""
            layers = [
                [prefix + name.strip() for name in line.replace(":", "|").split("|")]
                for line in options["layers"]
            ]
            for higher, lower in combinations(layers, 2):
                pairs += [(options, below, above) for below in lower for above in higher]
            for options_line, layer in zip(options["layers"], layers, strict=True):
                if "|" in options_line:
                    pairs += [(options, *pair) for pair in combinations(layer, 2)]
    return pairs


def test_every_package_of_the_tree_is_under_contract() -> None:
    roots = set(CONFIGURATION["session_options"]["root_packages"])
    (top,) = [each for each in options_of("layers") if "containers" not in each]
    layers = {name.strip() for line in top["layers"] for name in line.split("|")}
    (siblings,) = options_of("acyclic_siblings")
    assert roots == layers == set(siblings["ancestors"]) == set(packages())


def test_every_big_package_spells_its_layers_out_and_forgets_no_module() -> None:
    inside = [each for each in options_of("layers") if "containers" in each]
    assert [each["name"] for each in inside if each.get("exhaustive") != "True"] == []
    spelt = {name for each in inside for name in each["containers"]}
    big = {name for name in packages() if len(graph().find_descendants(name)) > MANY}
    assert big - spelt == set()


def test_every_folder_of_adapters_is_protected() -> None:
    (options,) = [
        e for e in options_of("protected") if "eventlog.adapters" in e["protected_modules"]
    ]
    patterns = {tuple(name.split(".")) for name in options["protected_modules"]}
    found = {name for name in graph().modules if name.endswith(".adapters")}
    assert len(found) > 3
    assert [
        name
        for name in sorted(found)
        if tuple(name.split(".")) not in patterns
        and (name.split(".")[0], "*", "adapters") not in patterns
    ] == []


@pytest.mark.parametrize(
    ("options", "lower", "higher"),
    [pytest.param(*each, id=f"{each[1]}->{each[2]}") for each in layer_pairs()],
)
def test_imports_from_below_are_found(options: dict[str, Any], lower: str, higher: str) -> None:
    assert not kept(options, planted(lower, higher))


@pytest.mark.parametrize("options", options_of("protected"), ids=lambda each: each["name"])
def test_an_import_of_what_is_protected_breaks_its_contract(options: dict[str, Any]) -> None:
    for importer in ("domain", "operations", "cli"):
        for imported in listed(options["protected_modules"]):
            assert kept(options, graph())
            reached = imported.replace("*", "online" if "projections" in imported else "serving")
            assert not kept(options, planted(importer, reached))


@pytest.mark.parametrize("options", options_of("forbidden"), ids=lambda each: each["name"])
def test_a_forbidden_import_breaks_its_contract(options: dict[str, Any]) -> None:
    for source in listed(options["source_modules"]):
        for forbidden in listed(options["forbidden_modules"]):
            assert not kept(options, planted(source, forbidden))


def test_a_circle_among_siblings_is_found_in_every_package() -> None:
    (options,) = options_of("acyclic_siblings")
    changed, expected = deepcopy(graph()), set()
    ours = (name for name in graph().modules if name.partition(".")[0] in packages())
    for package in sorted(name for name in ours if graph().find_children(name)):
        reverse = _reverse_of_an_import_between_children(package)
        if reverse is not None:
            changed.add_import(importer=reverse[0], imported=reverse[1])
            expected.add(package)
    assert len(expected) > 30
    contract: Contract = KINDS["acyclic_siblings"]("", CONFIGURATION["session_options"], options)
    check = contract.check(changed, verbose=False)
    assert expected <= set(check.metadata["cycle_breakers_by_package"])


def _reverse_of_an_import_between_children(package: str) -> tuple[str, str] | None:
    children = sorted(graph().find_children(package))
    for importer, imported in [*combinations(children, 2), *combinations(children[::-1], 2)]:
        if graph().direct_import_exists(importer=importer, imported=imported, as_packages=True):
            return _module(imported), _module(importer)
    return None
