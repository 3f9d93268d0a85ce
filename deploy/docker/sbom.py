"""Bill of materials of an image, as CycloneDX 1.6 on stdout: Python packages and Debian packages.

    python deploy/docker/sbom.py requirements.lock

Names and versions are those that are installed, and not what a lock asks for; hashes are those of
the lock, any of which pip has accepted. It runs in the image while it is built, without network.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

Component = dict[str, Any]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str) -> dict[str, Any]:
    hashes = _hashes(lock)
    found = {each["bom-ref"]: each for each in (*_python(hashes), *_debian())}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "retrace"}},
        "components": [found[ref] for ref in sorted(found)],
    }


def _hashes(lock: str) -> dict[str, list[str]]:
    """Of each package of the lock, by its normal name."""
    starts = [*_PIN.finditer(lock)]
    ends = [match.start() for match in starts[1:]] + [len(lock)]
    return {
        _normal(match[1]): _HASH.findall(lock, match.start(), end)
        for match, end in zip(starts, ends, strict=True)
    }


def _python(hashes: dict[str, list[str]]) -> Iterator[Component]:
    for each in distributions():
        name = _normal(each.name)
        url = f"pkg:pypi/{name}@{each.version}"
        yield {
            "type": "library",
            "bom-ref": url,
            "name": name,
            "version": each.version,
            "purl": url,
            **_licence(each),
            "properties": [
                {"name": "retrace:accepted-sha256", "value": value}
                for value in hashes.get(name, ())
            ],
        }


def _licence(each: Distribution) -> Component:
    expression = each.metadata.get("License-Expression")
    return {"licenses": [{"expression": expression}]} if expression else {}


def _debian() -> Iterator[Component]:
    if not shutil.which("dpkg-query"):
        return
    wanted = "${Package} ${Version} ${Architecture}\\n"
    asked = ["dpkg-query", "--show", "--showformat", wanted]
    for line in subprocess.check_output(asked, text=True).splitlines():
        name, version, architecture = line.split()
        url = f"pkg:deb/debian/{name}@{version}?arch={architecture}"
        yield {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    json.dump(bill(Path(sys.argv[1]).read_text()), sys.stdout, indent=1)
