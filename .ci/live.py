"""Shared helpers of the checks: servers that run during a block, databases, requests, expectations."""

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

# Seconds until a program must be ready.
START_LIMIT = 30
# Ignores proxies in the environment, because all servers are local.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WEAK_HASHING = {"BCRYPT_COST": "4", "ALLOW_WEAK_HASHING": "true"}


def stop_on_sigterm() -> None:
    """Stops the started programs on SIGTERM, as on Ctrl-C."""
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
    """Creates a database on TEST_POSTGRES_URL, yields its URL, and drops it."""
    server, name = postgres_url(), f"live_{secrets.token_hex(8)}"

    def execute(statement: str) -> None:
        subprocess.run(["psql", server, "-qc", statement], check=True)

    execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rsplit('/', 1)[0]}/{name}"
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


def request(url: str, body: object = None, token: str | None = None) -> tuple[int, dict[str, str], str]:
    """Sends a GET, or a POST if there is a body. Returns status, headers with lower-case names, and body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        response = OPENER.open(urllib.request.Request(url, data, headers), timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        names = {name.lower(): value for name, value in response.headers.items()}
        return response.status, names, response.read().decode()


def call(url: str, body: object = None, token: str | None = None) -> tuple[int, dict]:
    """Sends a request as `request` does; returns the status and the parsed JSON."""
    status, _, text = request(url, body, token)
    return status, json.loads(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_ready: Callable[[], None], process: subprocess.Popen, log: Path) -> None:
    """Waits until `is_ready` no longer raises an OSError, such as a refused connection."""
    end = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            return is_ready()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{process.args[0]} is not ready in time:\n{log.read_text()}")


@contextmanager
def running(program: Path, folder: Path, path: str = "", **settings: str) -> Iterator[str]:
    """Runs a program on a free port during the block. Yields its URL once it accepts connections and, if there is a
    `path`, once that responds with 200."""
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
    """Runs an api-server with weak hashing, by default on a SQLite database in the folder; yields its URL."""
    settings = WEAK_HASHING | {"DATABASE_URL": f"sqlite://{folder}/auth.db"} | settings
    with running(program, folder, "/readyz", **settings) as base:
        yield base
