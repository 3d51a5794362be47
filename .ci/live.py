"""What the checks share: programs that run until the end of a block, databases, requests, and the verdict."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT = 30
# No proxy stands between a check and its server.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WEAK_HASHING = {"BCRYPT_COST": "4", "ALLOW_WEAK_HASHING": "true"}


def stop_on_sigterm() -> None:
    """As with Ctrl-C, what was started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{what}: expected {expected!r}, got {found!r}")
    print(f"ok: {what}", flush=True)


def npm_ci(folder: Path) -> None:
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300)


def postgres_url() -> str:
    if "TEST_POSTGRES_URL" not in os.environ:
        raise SystemExit(f"TEST_POSTGRES_URL is not set; run .ci/postgres {' '.join(sys.argv)}")
    return os.environ["TEST_POSTGRES_URL"]


@contextmanager
def postgres_database() -> Iterator[str]:
    """Yields the address of a new one on TEST_POSTGRES_URL."""
    server, name = postgres_url(), f"live_{secrets.token_hex(8)}"

    def execute(statement: str) -> None:
        subprocess.run(["psql", server, "-qc", statement], check=True)

    execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


def request(url: str, body: object = None, token: str | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers by their names in lower case, and body; a POST if a body is given."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        response = OPENER.open(urllib.request.Request(url, data, headers), timeout=60)
    except urllib.error.HTTPError as refused:
        response = refused
    with response:
        names = {name.lower(): value for name, value in response.headers.items()}
        return response.status, names, response.read().decode()


def call(url: str, body: object = None, token: str | None = None) -> tuple[int, dict]:
    """Status and JSON."""
    status, _, text = request(url, body, token)
    return status, json.loads(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_ready: Callable[[], None], process: subprocess.Popen, log: Path) -> None:
    """Waits until the call no longer fails as it does while nothing listens."""
    end = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            return is_ready()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{process.args[0]} does not get ready:\n{log.read_text()}")


@contextmanager
def running(program: Path, folder: Path, path: str = "", **settings: str) -> Iterator[str]:
    """Runs a program on a free port until the end of the block; yields its address, once `path` there gives 200, or once
    it takes connections."""
    port, log = free_port(), folder / f"{program.name}.log"
    base = f"http://127.0.0.1:{port}"

    def is_ready() -> None:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        if path:
            OPENER.open(base + path, timeout=5).close()

    environment = os.environ | settings | {"BIND_ADDR": f"127.0.0.1:{port}"}
    with log.open("ab") as output:
        process = subprocess.Popen([program], cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        wait_until(is_ready, process, log)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=15)


@contextmanager
def live_server(program: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Runs an api-server with cheap hashes on a database in this folder; yields its address."""
    settings = WEAK_HASHING | {"DATABASE_URL": f"sqlite://{folder}/auth.db"} | settings
    with running(program, folder, "/readyz", **settings) as base:
        yield base
