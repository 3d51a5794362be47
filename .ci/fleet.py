"""Helpers for drills with several servers: programs that start again, clients that record what they see, and verifiers."""

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from common import require_equal
from live import START_LIMIT, wait_until

PASSWORD = "correct horse battery staple"


class Program:
    """A program that can be started again, with the log of all its runs."""

    def __init__(self, folder: Path, name: str, port: int, command: list, **settings: str) -> None:
        self.folder, self.port, self.command = folder / name, port, command
        self.environment = os.environ | settings
        self.folder.mkdir()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=30)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.stop(signal.SIGKILL)

    def wait_until_ready(self, is_ready: Callable[[], bool]) -> None:
        if not wait_until(is_ready, START_LIMIT):
            raise SystemExit(f"{self.command[0]} is not ready:\n{(self.folder / 'log').read_text()}")


@dataclass
class Record:
    """The results of the clients and verifiers."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)
    successes: list[float] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)
    revoked: list[tuple[float, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # Set before a server is paused. When the server resumes, it may carry out a refresh that it read before the pause,
    # and that the client has long repeated at another server. This is a late use of an old refresh token, and ends the
    # session.
    pause_began: threading.Event = field(default_factory=threading.Event)
    ended_sessions: int = 0

    def failures_since(self, started: float) -> list[str]:
        return [text for moment, text in self.failures if moment >= started]

    def longest_gap(self, started: float, ended: float) -> float:
        moments = [started, *sorted(moment for moment in self.successes if started < moment < ended), ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def send(port: int, method: str, path: str, body: object = None, token: str | None = None, timeout: float = 15) -> tuple[int, object]:
    """Sends a request on a connection of its own; returns the status and the JSON, or raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith((b"{", b"[")) else None
    except http.client.HTTPException as error:
        raise ConnectionError(repr(error)) from error
    finally:
        connection.close()


class Client(threading.Thread):
    """A user who adds tasks, refreshes, and opens and ends other sessions. A failed refresh is repeated until it
    succeeds, or until the session or the drill has ended."""

    def __init__(self, number: int, port: Callable[[], int], record: Record) -> None:
        super().__init__(daemon=True)
        self.port, self.record = port, record
        self.login = {"email": f"user{number}@example.com", "password": PASSWORD}
        self.titles: list[str] = []
        self.is_session_ended = False
        status, self.tokens = send(port(), "POST", "/api/auth/register", self.login)
        require_equal("a registration", status, 201)

    def attempt(self, expected: int, method: str, path: str, body: object = None, token: str | None = None) -> object | None:
        """Sends a request. Returns the JSON of the expected response. Otherwise returns None, and records a failure,
        after which the request may be repeated, the end of the session, or an error."""
        started = time.monotonic()
        try:
            status, answer = send(self.port(), method, path, body, token)
        except OSError as error:
            status, answer = 0, repr(error)
        with self.record.lock:
            if status == expected:
                self.record.successes.append(time.monotonic())
                return answer
            if status in (0, 502, 503, 504):
                self.record.failures.append((started, f"{method} {path}: {status} {answer}"))
            elif status == 401 and self.record.pause_began.is_set():
                self.record.ended_sessions += not self.is_session_ended
                self.is_session_ended = True
            else:
                self.record.errors.append(f"{method} {path}: {status} {answer}")
        time.sleep(0.05)
        return None

    def repeat(self, *request: object) -> object | None:
        while not self.record.is_over.is_set():
            answer = self.attempt(*request)
            if answer is not None or self.record.errors or self.is_session_ended:
                return answer
        return None

    def log_in_again(self) -> None:
        self.is_session_ended = False
        self.tokens = self.repeat(200, "POST", "/api/auth/login", self.login) or self.tokens

    def step(self, count: int) -> None:
        if self.is_session_ended:
            self.log_in_again()
        title = secrets.token_hex(8)
        if self.attempt(201, "POST", "/api/tasks", {"title": title}, self.tokens["access_token"]):
            self.titles.append(title)
        self.attempt(200, "GET", "/api/auth/session", None, self.tokens["access_token"])
        self.attempt(200, "GET", "/api/tasks?limit=20", None, self.tokens["access_token"])
        if count % 3 == 0:
            refreshed = self.repeat(200, "POST", "/api/auth/refresh", {"refresh_token": self.tokens["refresh_token"]})
            self.tokens = refreshed or self.tokens
        if count % 5 == 0 and (elsewhere := self.attempt(200, "POST", "/api/auth/login", self.login)):
            token = elsewhere["access_token"]
            if self.attempt(200, "POST", "/api/auth/logout", {}, token):
                with self.record.lock:
                    self.record.revoked.append((time.monotonic(), token))

    def require_tasks(self, port: int) -> None:
        """Fails unless the server has every task that was acknowledged."""
        titles, cursor = set(), ""
        while cursor is not None:
            titles_of_page, cursor = self.page(port, cursor)
            titles |= titles_of_page
        require_equal("acknowledged tasks that are lost", set(self.titles) - titles, set())

    def page(self, port: int, cursor: str) -> tuple[set[str], str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        path = f"/api/tasks?limit=500{cursor}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.tokens['access_token']}"})
        response = connection.getresponse()
        tasks = json.loads(response.read())
        require_equal("a list of tasks", response.status, 200)
        found = re.search(r"[?&](cursor=[^&>]+)", response.getheader("Link") or "")
        return {task["title"] for task in tasks}, f"&{found[1]}" if found else None

    def run(self) -> None:
        count = 0
        while not self.record.is_over.is_set() and not self.record.errors:
            self.step(count)
            count += 1


class Verifier(threading.Thread):
    """Sends tokens of sessions that were ended more than `limit` seconds ago directly to one server, which must reject
    them."""

    def __init__(self, node: Program, record: Record, limit: float) -> None:
        super().__init__(daemon=True)
        self.node, self.record, self.limit = node, record, limit
        self.asked = 0

    def run(self) -> None:
        while not self.record.is_over.is_set():
            with self.record.lock:
                recent = [entry for entry in self.record.revoked if entry[0] < time.monotonic() - self.limit][-5:]
            for revoked_at, token in recent:
                age = time.monotonic() - revoked_at
                try:
                    status, _ = send(self.node.port, "GET", "/api/auth/session", token=token, timeout=40)
                except OSError:
                    continue
                self.asked += 1
                if status == 200:
                    self.record.violations.append(f"{self.node.folder.name} accepted a token {age:.1f} s after its session was ended")
            time.sleep(0.02)
