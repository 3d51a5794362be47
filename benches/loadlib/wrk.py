"""One row: wrk drives one address as fast as it answers."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent
# With fewer than there are cores it is wrk that is busy, not the server, and every row looks like the baseline.
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
    """Raises if anything but success came back. `refresh_tokens` names a file of them, one a session."""
    given = {"LOAD_METHOD": method, "LOAD_TOKEN": token, "LOAD_BODY": body,
             "LOAD_SCRIPTS": str(SCRIPTS), "LOAD_REFRESH_TOKENS": refresh_tokens}
    # Two threads would use the same sessions, and one is far from busy with refreshes.
    script, threads = ("refresh.lua", 1) if refresh_tokens else ("request.lua", THREADS)
    outcome = subprocess.run(
        ["wrk", f"--threads={threads}", f"--connections={connections}", f"--duration={seconds}s",
         "--timeout=30s", f"--script={SCRIPTS / script}", url],
        env=os.environ | {name: value for name, value in given.items() if value is not None},
        stdout=subprocess.PIPE, text=True, check=True,
    )
    found = json.loads(outcome.stdout.splitlines()[-1])
    if not found["requests"] or found["refused"] or found["broken"]:
        raise SystemExit(f"{method} {url}: {found['requests']} answers, of which {found['refused']} refusals; "
                         f"{found['broken']} broken connections")
    return Measured(found["requests"], found["requests"] / found["seconds"], found["p50"], found["p99"])
