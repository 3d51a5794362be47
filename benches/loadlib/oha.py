"""Measures one row with oha, which sends requests to one address as fast as it responds."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from loadlib.wrk import Measured

ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = "1.16.0"
TOOLS = ROOT / "target/tools"


def install():
    """Compiles oha unless it is installed; takes about four minutes."""
    if not shutil.which("oha", path=f"{TOOLS}/bin"):
        environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
        subprocess.run(["cargo", "install", "--quiet", "--locked", f"--root={TOOLS}", f"oha@{VERSION}"], cwd=ROOT,
                       env=environment, check=True)


def drive(url, seconds, connections, *, method="GET", token=None, cookie=None, body=None):
    """Fails unless every response has a 2xx status."""
    command = [TOOLS / "bin/oha", "--no-tui", "--output-format=json", "-z", f"{seconds}s", "-c", str(connections),
               "--method", method]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if cookie:
        command += ["-H", f"Cookie: {cookie}"]
    if body:
        command += ["-H", "Content-Type: application/json", "-d", body]
    found = json.loads(subprocess.run([*command, url], stdout=subprocess.PIPE, check=True).stdout)
    rejected = {status: count for status, count in found["statusCodeDistribution"].items() if not status.startswith("2")}
    # oha aborts the requests that are in flight at the end.
    broken = {cause: count for cause, count in found["errorDistribution"].items() if "deadline" not in cause}
    if rejected or broken or not found["statusCodeDistribution"]:
        raise SystemExit(f"{method} {url}: rejected {rejected}, broken connections {broken}")
    latency = found["latencyPercentiles"]
    requests = sum(found["statusCodeDistribution"].values())
    return Measured(requests, requests / found["summary"]["total"], latency["p50"] * 1e3, latency["p99"] * 1e3)
