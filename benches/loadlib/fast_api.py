"""Compares the session and the list of tasks with a FastAPI service, which reads the same PostgreSQL database."""

import json
import os
import statistics
import subprocess
import venv
from pathlib import Path

from common import need

from . import server, wrk
from .populated import PopulatedServer, tasks_path
from .report import CORES, medians, spread, table
from .rows import CONNECTIONS

PROJECT = Path(__file__).resolve().parent / "fastapi"
SESSION = "/api/auth/session"


class FastApi(server.Process):
    """The service in `fastapi/` on uvicorn: one process per core, uvloop and httptools, without a log of requests."""

    def __init__(self, database_url: str, folder: Path):
        need("venv")
        environment = folder / "fastapi"
        venv.create(environment, with_pip=True)
        python = environment / "bin/python"
        requirements = ["--requirement", PROJECT / "requirements.txt"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", *requirements], check=True)
        host = server.free_host()
        address, port = host.split(":")
        command = [python, "-m", "uvicorn", "app:app", f"--host={address}", f"--port={port}", f"--workers={CORES}",
                   "--no-access-log", "--log-level=warning", "--loop=uvloop", "--http=httptools"]
        variables = os.environ | {"DATABASE_URL": database_url, "AUTH_SECRET": server.SECRET}
        super().__init__(command, host, env=variables, cwd=PROJECT)
        self.wait_for("/ready")


def require_same_responses(api_server: PopulatedServer, fast_api: FastApi, paths: list[str], token: str) -> None:
    """Fails unless both respond with the same users and tasks. Only their times are written differently."""
    for path in paths:
        first, second = (json.loads(process.request("GET", path, token=token)[1]) for process in (api_server, fast_api))
        first, second = ([body] if isinstance(body, dict) else body for body in (first, second))
        names = {"user": ["id", "email"], "session": ["id"]} if path == SESSION else {}
        for one, other in zip(first, second, strict=True):
            same = all(one[part][name] == other[part][name] for part in names for name in names[part])
            same = same and all(one.get(name) == other.get(name) for name in ("id", "title", "description", "completed"))
            if not same:
                raise SystemExit(f"{path}: {one} and {other}")


def print_tables(options, api_server: PopulatedServer, folder: Path) -> None:
    """Measures both servers alternately, so that a busy machine affects both. Their processor time hardly depends on
    what else the machine does; that of PostgreSQL is not counted."""
    token, list_path = api_server.reader["access_token"], tasks_path(api_server.reader)
    lines = []
    with FastApi(api_server.database.url, folder) as fast_api:
        require_same_responses(api_server, fast_api, [SESSION, list_path], token)
        for name, path in [("`GET` session", SESSION), ("`GET` 20 tasks", list_path)]:
            measured, efficiencies = {fast_api: [], api_server: []}, {fast_api: [], api_server: []}
            for _ in range(options.rounds):
                for process, measurements in measured.items():
                    before = process.processor_seconds()
                    measurements.append(wrk.send_requests(process.url(path), options.seconds, CONNECTIONS, token=token))
                    used = process.processor_seconds() - before
                    efficiencies[process].append(measurements[-1].requests / used)
            rates = {process: [each.per_second for each in measurements] for process, measurements in measured.items()}
            rate_ratios, efficiency_ratios = (
                spread([own / other for own, other in zip(of[api_server], of[fast_api], strict=True)], 1)
                for of in (rates, efficiencies))
            for process, label, *ratios in [(fast_api, f"FastAPI, {CORES} processes", "1", "1"),
                                            (api_server, "api-server", rate_ratios, efficiency_ratios)]:
                rate, p50, p99 = medians(measured[process])
                efficiency = statistics.median(efficiencies[process])
                lines.append([f"{name}, {label}", f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", ratios[0],
                              f"{efficiency:.0f}", ratios[1]])
    table(["FastAPI, PostgreSQL", "req/s", "p50 ms", "p99 ms", "ratio (lowest–highest)", "requests per CPU second",
           "its ratio"], lines)
