"""Helpers for checks with live servers: databases, requests, and programs that run during a block."""

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common import shell

# Seconds until a started program must be ready.
START_LIMIT = 30
# Seconds until a program must end after SIGTERM.
STOP_LIMIT = 20
# Ignores proxies in the environment, because all servers are local.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WEAK_HASHING = {"BCRYPT_COST": "4", "ALLOW_WEAK_HASHING": "true"}


@contextmanager
def postgres_database(prefix: str = "live") -> Iterator[str]:
    """Creates a database on TEST_POSTGRES_URL, yields its URL, and drops it."""
    if "TEST_POSTGRES_URL" not in os.environ:
        raise SystemExit("TEST_POSTGRES_URL is not set; write `.ci/postgres` before the command")
    name = f"{prefix}_{secrets.token_hex(8)}"
    url = shell("create_database", name)
    try:
        yield url
    finally:
        shell("drop_database", name)


def request(url: str, body: object = None, token: str | None = None, **more: str) -> tuple[int, dict[str, str], str]:
    """Sends a GET, or a POST if there is a body. `more` are further headers, with `_` for `-`. Returns status, headers
    with lower-case names, and body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    data = None if body is None else json.dumps(body).encode()
    try:
        response = OPENER.open(urllib.request.Request(url, data, headers), timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        lower_case_headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, lower_case_headers, response.read().decode()


def call(url: str, body: object = None, token: str | None = None, **more: str) -> tuple[int, dict]:
    """Sends a request as `request` does; returns the status and the parsed JSON."""
    status, _, text = request(url, body, token, **more)
    return status, json.loads(text)


def free_port() -> int:
    """A random port below those that the system assigns to outgoing connections and for port 0, so that no other
    program takes it before the program listens, or while the program restarts."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def responds(url: str) -> bool:
    """Whether a GET of the URL responds with 200."""
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], limit: float, pause: float = 0.05) -> bool:
    """Waits until the condition holds; returns whether it does within `limit` seconds. Pauses between two attempts."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def stop_process(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(timeout=STOP_LIMIT)


@contextmanager
def running_process(program: Path, folder: Path, path: str = "", **settings: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Runs a program on a free port during the block. Yields its process and its URL once it is ready: once `path`
    responds with 200 or, without a `path`, once the port accepts connections."""
    port, log = free_port(), folder / f"{program.name}.log"
    base = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        return responds(base + path) if path else accepts_connections(port)

    environment = os.environ | settings | {"BIND_ADDR": f"127.0.0.1:{port}"}
    with log.open("ab") as output:
        process = subprocess.Popen([program], cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(), START_LIMIT)
        if process.poll() is not None or not is_ready():
            raise SystemExit(f"{program} is not ready within {START_LIMIT} s:\n{log.read_text()}")
        yield process, base
    finally:
        stop_process(process)


@contextmanager
def running_program(program: Path, folder: Path, path: str = "", **settings: str) -> Iterator[str]:
    """Runs a program as `running_process` does; yields its URL."""
    with running_process(program, folder, path, **settings) as (_, base):
        yield base


@contextmanager
def live_server(program: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Runs an api-server with weak hashing, by default on a SQLite database in the folder; yields its URL."""
    settings = WEAK_HASHING | {"DATABASE_URL": f"sqlite://{folder}/auth.db"} | settings
    with running_program(program, folder, "/readyz", **settings) as base:
        yield base
