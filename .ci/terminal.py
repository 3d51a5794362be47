"""Runs the commands of the documents step by step in one bash session, with servers in the background."""

import os
import select
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from markdown import Defect

START_LIMIT = 15 * 60
STOP_LIMIT = 10


@dataclass
class Step:
    line: int
    command: str
    expected: str | None = None
    skip: str | None = None
    ready: str | None = None


def alive(group: int) -> bool:
    """Whether any process of the group still runs. A zombie does not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of_group) == group and state != "Z":
            return True
    return False


def responds(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def wait_until(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def stop(group: int) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, signal_number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(group), STOP_LIMIT):
            return


class Session:
    """One bash for all blocks: a variable that one block sets exists in the next."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder, self.timeout = folder, timeout
        self.background: dict[str, int] = {}
        self.reports, report = os.pipe()
        self.bash = subprocess.Popen(
            ["bash", "--norc"], stdin=subprocess.PIPE, text=True, pass_fds=[report], start_new_session=True
        )
        os.close(report)
        self.send(f"exec 9>&{report} {report}>&-; set -euo pipefail")

    def send(self, line: str) -> None:
        assert self.bash.stdin
        self.bash.stdin.write(line + "\n")
        self.bash.stdin.flush()

    def report(self, step: Step) -> str:
        """Waits for the line that bash writes after the step. bash exits at the first command that fails."""
        end = time.monotonic() + self.timeout
        while not select.select([self.reports], [], [], 0.1)[0]:
            if self.bash.poll() is not None:
                raise Defect(f"line {step.line}: failed with status {self.bash.returncode}")
            if time.monotonic() > end:
                raise Defect(
                    f"line {step.line}: did not end within {self.timeout:g} s; mark a server with `ci: background`"
                )
        text = os.read(self.reports, 1000).decode()
        if not text:
            raise Defect(f"line {step.line}: failed with status {self.bash.wait()}")
        return text

    def run(self, step: Step) -> str:
        script, printed = self.folder / "block.sh", self.folder / "printed"
        script.write_text(step.command + "\n")
        try:
            self.send(f"source {script} >{printed} </dev/null 9>&-; echo done >&9")
            self.report(step)
        finally:
            text = printed.read_text(errors="replace") if printed.exists() else ""
            print(text, end="" if text.endswith("\n") or not text else "\n", flush=True)
        return text

    def start(self, step: Step) -> None:
        url = step.ready or ""
        if url in self.background:
            stop(self.background.pop(url))
        if responds(url):
            raise Defect(f"line {step.line}: {url} responds before the command was started")
        script = self.folder / f"background{step.line}.sh"
        script.write_text(f"echo $$ >&9; exec 9>&-; set -euo pipefail\n{step.command}\n")
        self.send(f"setsid bash {script} </dev/null &")
        group = self.background[url] = int(self.report(step))
        wait_until(lambda: responds(url) or not alive(group), START_LIMIT)
        if not responds(url):
            reason = f"{url} did not respond with 200 in time" if alive(group) else "ended instead of running"
            raise Defect(f"line {step.line}: {reason}")

    def close(self) -> None:
        for group in self.background.values():
            stop(group)
        stop(self.bash.pid)
        self.bash.wait()
        os.close(self.reports)
