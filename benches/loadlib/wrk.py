"""One row: wrk drives one address as fast as it answers."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("request.lua")
# With fewer than there are cores it is wrk that is busy, not the server, and every row looks like the baseline.
THREADS = len(os.sched_getaffinity(0))


@dataclass
class Measured:
    per_second: float
    p50: float
    p99: float


def install():
    if shutil.which("wrk"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
    subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)


def drive(url, seconds, connections, *, method="GET", token=None, body=None):
    """Raises if anything but success came back."""
    given = {"LOAD_METHOD": method, "LOAD_TOKEN": token, "LOAD_BODY": body}
    outcome = subprocess.run(
        ["wrk", f"--threads={THREADS}", f"--connections={connections}", f"--duration={seconds}s",
         "--timeout=30s", f"--script={SCRIPT}", url],
        env=os.environ | {name: value for name, value in given.items() if value is not None},
        stdout=subprocess.PIPE, text=True, check=True,
    )
    found = json.loads(outcome.stdout.splitlines()[-1])
    if not found["requests"] or found["refused"] or found["broken"]:
        raise SystemExit(f"{method} {url}: {found['requests']} answers, of which {found['refused']} refusals; "
                         f"{found['broken']} broken connections")
    return Measured(found["requests"] / found["seconds"], found["p50"], found["p99"])
