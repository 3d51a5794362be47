"""A server for the checks: its own folder and port, cheap hashes, gone at the end."""

import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process: subprocess.Popen, base: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            return opener.open(f"{base}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"the server does not get ready:\n{log.read_text()}")


@contextmanager
def postgres_database() -> Iterator[str]:
    """Yields the address of a new one on TEST_POSTGRES_URL."""
    server, name = os.environ["TEST_POSTGRES_URL"], f"live_{secrets.token_hex(8)}"

    def execute(statement: str) -> None:
        subprocess.run(["psql", server, "-qc", statement], check=True)

    execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def live_server(program: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Yields its address."""
    host, log = f"127.0.0.1:{free_port()}", folder / "server.log"
    settings = {"BIND_ADDR": host, "DATABASE_URL": f"sqlite://{folder}/auth.db", "BCRYPT_COST": "4",
                "ALLOW_WEAK_HASHING": "true"} | settings
    with log.open("wb") as output:
        process = subprocess.Popen([program], cwd=folder, env=os.environ | settings, stdout=output, stderr=output)
    try:
        wait_until_ready(process, f"http://{host}", log)
        yield f"http://{host}"
    finally:
        process.terminate()
        process.wait(timeout=15)
