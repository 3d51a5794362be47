"""One row: oha drives one address as fast as it answers."""

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
    """Four minutes, once."""
    if not shutil.which("oha", path=f"{TOOLS}/bin"):
        environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
        subprocess.run(["cargo", "install", "--quiet", "--locked", f"--root={TOOLS}", f"oha@{VERSION}"], cwd=ROOT,
                       env=environment, check=True)


def drive(url, seconds, connections, *, method="GET", token=None, cookie=None, body=None):
    """Raises if anything but success came back."""
    command = [TOOLS / "bin/oha", "--no-tui", "--output-format=json", "-z", f"{seconds}s", "-c", str(connections),
               "--method", method]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if cookie:
        command += ["-H", f"Cookie: {cookie}"]
    if body:
        command += ["-H", "Content-Type: application/json", "-d", body]
    found = json.loads(subprocess.run([*command, url], stdout=subprocess.PIPE, check=True).stdout)
    refused = {status: count for status, count in found["statusCodeDistribution"].items() if not status.startswith("2")}
    # What is in flight at the end is given up.
    broken = {cause: count for cause, count in found["errorDistribution"].items() if "deadline" not in cause}
    if refused or broken or not found["statusCodeDistribution"]:
        raise SystemExit(f"{method} {url}: refusals {refused}, broken connections {broken}")
    latency = found["latencyPercentiles"]
    requests = sum(found["statusCodeDistribution"].values())
    return Measured(requests, requests / found["summary"]["total"], latency["p50"] * 1e3, latency["p99"] * 1e3)
