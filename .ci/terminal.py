"""Runs the commands of the documents step by step in one bash session, with servers in the background."""

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from live import responds, wait_until
from markdown import Defect

# Seconds until a server in the background must respond; `cargo run --release` builds it first.
BUILD_LIMIT = 15 * 60
# Seconds that a process group has to end, after SIGTERM and again after SIGKILL.
STOP_LIMIT = 10


@dataclass
class Step:
    """A command of a document, at its line there.

    `expected` is the output that the document shows, `skip_reason` why the command is not run, and `ready_url` the URL
    that responds with 200 once a command in the background is ready.
    """

    line: int
    command: str
    expected: str | None = None
    skip_reason: str | None = None
    ready_url: str | None = None


def is_alive(group: int) -> bool:
    """Whether any process of the process group still runs. A zombie does not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group_of_process = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group_of_process) == group and state != "Z":
            return True
    return False


def stop(group: int) -> None:
    """Ends all processes of the process group."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, signal_number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(group), STOP_LIMIT):
            return


class Session:
    """One bash for all blocks: a variable that one block sets exists in the next."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder, self.timeout = folder, timeout
        # The process group of each command in the background, by its ready URL.
        self.background: dict[str, int] = {}
        self.reports, report = os.pipe()
        self.bash = subprocess.Popen(
            ["bash", "--norc"], stdin=subprocess.PIPE, text=True, pass_fds=[report], start_new_session=True
        )
        os.close(report)
        self.send(f"exec 9>&{report} {report}>&-; set -euo pipefail")

    def send(self, line: str) -> None:
        """Writes a line to the standard input of bash."""
        assert self.bash.stdin
        self.bash.stdin.write(line + "\n")
        self.bash.stdin.flush()

    def read_report(self, step: Step) -> str:
        """Waits for the line that the step writes to descriptor 9, and returns it. A command that fails ends bash."""
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
        """Runs the command, prints its standard output, and returns it."""
        script, printed = self.folder / "block.sh", self.folder / "printed"
        script.write_text(step.command + "\n")
        try:
            self.send(f"source {script} >{printed} </dev/null 9>&-; echo done >&9")
            self.read_report(step)
        finally:
            text = printed.read_text(errors="replace") if printed.exists() else ""
            print(text, end="" if text.endswith("\n") or not text else "\n", flush=True)
        return text

    def start(self, step: Step) -> None:
        """Starts the command in the background, after it stops an earlier one with the same URL. Waits until the URL
        responds with 200."""
        url = step.ready_url or ""
        if url in self.background:
            stop(self.background.pop(url))
        if responds(url):
            raise Defect(f"line {step.line}: {url} responds before the command was started")
        script = self.folder / f"background{step.line}.sh"
        script.write_text(f"echo $$ >&9; exec 9>&-; set -euo pipefail\n{step.command}\n")
        self.send(f"setsid bash {script} </dev/null &")
        group = self.background[url] = int(self.read_report(step))
        wait_until(lambda: responds(url) or not is_alive(group), BUILD_LIMIT)
        if not responds(url):
            reason = f"{url} did not respond with 200 in time" if is_alive(group) else "ended instead of running"
            raise Defect(f"line {step.line}: {reason}")

    def close(self) -> None:
        for group in self.background.values():
            stop(group)
        stop(self.bash.pid)
        self.bash.wait()
        os.close(self.reports)
