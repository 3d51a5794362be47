"""Measures requests with oha, which sends them to one URL as fast as it responds, or at a fixed rate."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from common import ROOT

from .wrk import Measurement

VERSION = "1.16.0"
TOOLS = ROOT / "target/tools"


def install():
    """Compiles oha into target/tools unless it is there; takes about four minutes."""
    if shutil.which("oha", path=f"{TOOLS}/bin"):
        return
    print(f"building oha {VERSION} into {TOOLS}", flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    subprocess.run(["cargo", "install", "--quiet", "--locked", f"--root={TOOLS}", f"oha@{VERSION}"], cwd=ROOT,
                   env=environment, check=True)


@dataclass(frozen=True)
class Limited:
    """oha at a fixed rate. A request that is sent late is measured from the time when it should have been sent."""

    per_second: float

    def send_requests(self, url, seconds, connections, **options):
        return send_requests(url, seconds, connections, rate=self.per_second, **options)


def send_requests(url, seconds, connections, *, method="GET", token=None, cookie=None, body=None, rate=None):
    """Sends requests for this time and measures them. Fails unless every response has a 2xx status."""
    command = [TOOLS / "bin/oha", "--no-tui", "--output-format=json", "-z", f"{seconds}s", "-c", str(connections),
               "--method", method]
    if rate:
        command += ["-q", f"{rate:.0f}", "--latency-correction"]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if cookie:
        command += ["-H", f"Cookie: {cookie}"]
    if body:
        command += ["-H", "Content-Type: application/json", "-d", body]
    result = json.loads(subprocess.run([*command, url], stdout=subprocess.PIPE, check=True).stdout)
    statuses = result["statusCodeDistribution"]
    rejected = {status: count for status, count in statuses.items() if not status.startswith("2")}
    # At the end oha aborts the requests in flight, and reports them with "deadline". They are no failures.
    broken = {cause: count for cause, count in result["errorDistribution"].items() if "deadline" not in cause}
    if rejected or broken or not statuses:
        raise SystemExit(f"{method} {url}: rejected {rejected}, broken connections {broken}")
    latency, requests = result["latencyPercentiles"], sum(statuses.values())
    return Measurement(requests, requests / result["summary"]["total"], latency["p50"] * 1e3, latency["p99"] * 1e3)
