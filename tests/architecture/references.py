"""References to our files and modules in prose: how they are found and resolved.

A reference is a path or a dotted name that begins with one of our root folders, a path that ends
in .py or .md, a file name that ends in .py, or the target of a relative Markdown link with its
heading. What holds a placeholder (`<name>`, `*`, `{name}`, `...`, `…`) names no single file and is
no reference; neither is a URL, an absolute path, or a part of a longer word.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT, packages, parsed

_FOLDERS = (*packages(), "docs", "tests", "scripts")
_URL = re.compile(r"\w+://\S+")
_PATH = re.compile(r"(?<![\w./~$@<{*-])[\w.-]+(?:/[\w.<>{}*…-]+)+/?|(?<![\w./<{*-])[\w-]+\.py\b")
_DOTTED = re.compile(rf"(?<![\w./-])(?:{'|'.join(_FOLDERS)})(?:\.[A-Za-z_]\w*)+(?![\w/(-])")
_LINK = re.compile(r"\]\(([^):\s]*)\)")
_PLACEHOLDER = re.compile(r"[<>{}*…]|\.\.\.")


def missing(text: str, file: Path) -> list[str]:
    """The references in a text of that file which lead nowhere."""
    text = _URL.sub(" ", text)
    paths = [path.rstrip("./") for path in _PATH.findall(text)]
    found = [path for path in paths if _ours(path) and not _exists(path, file)]
    found += [name for name in _DOTTED.findall(text) if not _resolves(name)]
    if file.suffix == ".md":
        found += [link for link in _LINK.findall(text) if not _leads(link, file)]
    return [each for each in found if not _PLACEHOLDER.search(each)]


def prose(file: Path) -> str:
    """All of a document; of a module its comments and docstrings."""
    source = file.read_text()
    return source if file.suffix == ".md" else "\n".join(_said(source))


def _said(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _ours(path: str) -> bool:
    return path.endswith((".py", ".md")) or path.partition("/")[0] in _FOLDERS


def _exists(path: str, file: Path) -> bool:
    """From the root or the file's folder; in a README also a bare name anywhere below it.

    A decision record may be named by its number.
    """
    if re.fullmatch(r"docs/adr/\d{4}", path):
        return any(ROOT.glob(f"{path}-*.md"))
    if file.name == "README.md" and file.parent != ROOT and any(file.parent.rglob(path)):
        return True
    return any((base / path).exists() for base in (ROOT, file.parent))


def _leads(link: str, file: Path) -> bool:
    name, _, heading = link.partition("#")
    target = file.parent / name if name else file
    return target.exists() and (not heading or heading in _headings(target))


@cache
def _headings(file: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@cache
def _resolves(name: str) -> bool:
    """A package or module of ours, or a name that the deepest one of them holds."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:depth])
        module = (
            place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
        )
        if module.exists():
            rest = parts[depth : depth + 1]
            return not rest or re.search(rf"\b{rest[0]}\b", module.read_text()) is not None
    return False
