"""Measures requests with wrk, which sends them to one URL as fast as it responds."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .report import CORES

SCRIPTS = Path(__file__).parent


@dataclass
class Measurement:
    """The number of successful requests, their rate per second, and the 50th and 99th percentile of durations in ms."""

    requests: int
    per_second: float
    p50: float
    p99: float


def send_requests(url, seconds, connections, *, method="GET", token=None, body=None, refresh_tokens=None,
                  access_tokens=None, may_reject=False):
    """Sends requests for this time and measures them. Counts only the requests that succeed; a rejected request is an
    error unless `may_reject`. `refresh_tokens` is the path of a file with a refresh token per session, `access_tokens`
    the path of a file with an access token per request."""
    variables = {"LOAD_METHOD": method, "LOAD_TOKEN": token, "LOAD_BODY": body, "LOAD_SCRIPTS": str(SCRIPTS),
                 "LOAD_REFRESH_TOKENS": refresh_tokens, "LOAD_ACCESS_TOKENS": access_tokens}
    # One thread per core: with fewer, wrk is the bottleneck, and every row looks as fast as the bare handler. For
    # refreshes and logouts one thread, because two would use the same sessions. One suffices for such slow requests.
    script, threads = "request.lua", CORES
    if refresh_tokens or access_tokens:
        script, threads = "refresh.lua" if refresh_tokens else "logouts.lua", 1
    outcome = subprocess.run(
        ["wrk", f"--threads={threads}", f"--connections={connections}", f"--duration={seconds}s",
         "--timeout=30s", f"--script={SCRIPTS / script}", url],
        env=os.environ | {name: value for name, value in variables.items() if value is not None},
        stdout=subprocess.PIPE, text=True, check=True,
    )
    result = json.loads(outcome.stdout.splitlines()[-1])
    succeeded = result["requests"] - result["rejected"]
    if not succeeded or result["broken"] or result["rejected"] and not may_reject:
        raise SystemExit(f"{method} {url}: {result['requests']} responses, of which {result['rejected']} are errors; "
                         f"{result['broken']} broken connections")
    return Measurement(succeeded, succeeded / result["seconds"], result["p50"], result["p99"])
