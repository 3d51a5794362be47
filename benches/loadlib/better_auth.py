"""Compares `GET /api/auth/get-session` with Better Auth's own server, both on databases of the same PostgreSQL."""

import http.client
import json
import os
import shutil
import statistics
from pathlib import Path

from common import npm_ci
from live import postgres_database

from . import oha, server
from .report import at_least, medians, spread, table
from .rows import CONNECTIONS

PROJECT = Path(__file__).resolve().parent / "better-auth"
PROCESSES = 2
GET_SESSION = "/api/auth/get-session"
USER = {"name": "Ada", "email": "ada@load.example", "password": server.PASSWORD}


class BetterAuth(server.Process):
    """Better Auth on Node in production mode: PROCESSES processes, without rate limit and cookie cache."""

    def __init__(self, database_url, folder):
        project = Path(folder, "better-auth")
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("node_modules"))
        npm_ci(project)
        host = server.free_host()
        environment = os.environ | {"DATABASE_URL": database_url, "NODE_ENV": "production"}
        super().__init__(["node", "server.mjs", *host.split(":"), str(PROCESSES)], host, env=environment, cwd=project)
        self.wait_for("/api/auth/ok")


def sign_up(process):
    """Signs up; returns the session cookie as a browser sends it."""
    connection = http.client.HTTPConnection(process.host, timeout=30)
    connection.request("POST", "/api/auth/sign-up/email", json.dumps(USER), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise SystemExit(f"sign-up: {response.status}: {text.decode()}")
    cookie = response.headers["set-cookie"].partition(";")[0]
    connection.request("GET", GET_SESSION, headers={"Cookie": cookie})
    session = json.loads(connection.getresponse().read())
    if not session or session["user"]["email"] != USER["email"]:
        raise SystemExit(f"{process.host} does not accept the cookie: {session}")
    connection.close()
    return cookie


def print_tables(options, api_server, folder):
    """Measures both servers alternately, so that a busy machine affects both."""
    def measure(process, cookie):
        return oha.send_requests(process.url(GET_SESSION), options.seconds, CONNECTIONS, cookie=cookie)

    with postgres_database("load") as url, BetterAuth(url, folder) as better_auth:
        better_auth_cookie, api_server_cookie = sign_up(better_auth), sign_up(api_server)
        of_better_auth, of_api_server = [], []
        for _ in range(options.rounds):
            of_better_auth.append(measure(better_auth, better_auth_cookie))
            of_api_server.append(measure(api_server, api_server_cookie))
    ratios = [api_server.per_second / other.per_second for api_server, other in zip(of_api_server, of_better_auth)]

    def line(name, measurements, ratio, cell):
        rate, p50, p99 = medians(measurements)
        return [name, f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", ratio, cell]

    table(["`get-session`, PostgreSQL", "req/s", "p50 ms", "p99 ms", "ratio (lowest–highest)", "target"],
          [line(f"Better Auth, {PROCESSES} processes of Node", of_better_auth, "1", ""),
           line("api-server", of_api_server, spread(ratios, 1),
                at_least(statistics.median(ratios), 10, options.quick))])
