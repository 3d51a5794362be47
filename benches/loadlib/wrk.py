"""Measures one row with wrk, which sends requests to one address as fast as it responds."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent
# One per core. With fewer, wrk is the bottleneck, and every row looks as fast as the bare handler.
THREADS = len(os.sched_getaffinity(0))


@dataclass
class Measured:
    requests: int
    per_second: float
    p50: float
    p99: float


def install():
    if shutil.which("wrk"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
    subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)


def drive(url, seconds, connections, *, method="GET", token=None, body=None, refresh_tokens=None):
    """Fails unless every request succeeds. `refresh_tokens` is the path of a file with one refresh token per session."""
    variables = {"LOAD_METHOD": method, "LOAD_TOKEN": token, "LOAD_BODY": body,
                 "LOAD_SCRIPTS": str(SCRIPTS), "LOAD_REFRESH_TOKENS": refresh_tokens}
    # Two threads would use the same sessions. One is enough, because refreshes are slow compared with wrk.
    script, threads = ("refresh.lua", 1) if refresh_tokens else ("request.lua", THREADS)
    outcome = subprocess.run(
        ["wrk", f"--threads={threads}", f"--connections={connections}", f"--duration={seconds}s",
         "--timeout=30s", f"--script={SCRIPTS / script}", url],
        env=os.environ | {name: value for name, value in variables.items() if value is not None},
        stdout=subprocess.PIPE, text=True, check=True,
    )
    found = json.loads(outcome.stdout.splitlines()[-1])
    if not found["requests"] or found["rejected"] or found["broken"]:
        raise SystemExit(f"{method} {url}: {found['requests']} responses, of which {found['rejected']} are errors; "
                         f"{found['broken']} broken connections")
    return Measured(found["requests"], found["requests"] / found["seconds"], found["p50"], found["p99"])
