"""Compares `get-session` with a session cookie with Better Auth's own server, each with a database of one PostgreSQL."""

import http.client
import json
import os
import shutil
import subprocess
from pathlib import Path

from loadlib import server

HERE = Path(__file__).resolve().parent / "better-auth"
PROCESSES = 2
GET_SESSION = "/api/auth/get-session"
USER = {"name": "Ada", "email": "ada@load.example", "password": server.PASSWORD}


class BetterAuth(server.Process):
    """Better Auth on Node in production mode: two processes, without rate limit and cookie cache."""

    def __init__(self, database_url, folder):
        project = Path(folder, "better-auth")
        shutil.copytree(HERE, project, ignore=shutil.ignore_patterns("node_modules"))
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=project, check=True)
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
