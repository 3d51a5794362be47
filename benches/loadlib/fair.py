"""Measures how the load of one account slows other accounts down, and how much memory unread responses use."""

import copy
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .report import MIB, target_cell, percentile_ms, table

# A text that occurs in no task. A search for it is slow, because most of it matches at every position of every
# description.
SLOW_QUERY = "a" * 199 + "b"
# The number of characters of the longest description that a task may have.
DESCRIPTION_LENGTH = 10_000
SEARCHERS = 12
UNREAD_CONNECTIONS = 100


class Caller:
    """An account with one persistent connection."""

    def __init__(self, server, email):
        grant = server.register(email)
        self.host, self.token, self.refresh_token = server.host, grant["access_token"], grant["refresh_token"]
        self.tasks_path = f"/api/{grant['user']['id']}/tasks"
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def request(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def with_new_connection(self):
        """The same account with another connection."""
        caller = copy.copy(self)
        caller.connection = http.client.HTTPConnection(self.host, timeout=60)
        return caller

    def list(self):
        """Lists the tasks; returns the status."""
        return self.request("GET", self.tasks_path)[0]

    def refresh(self):
        """Refreshes, and keeps the next refresh token; returns the status."""
        status, text = self.request("POST", "/api/auth/refresh", {"refresh_token": self.refresh_token})
        if status == 200:
            self.refresh_token = json.loads(text)["refresh_token"]
        return status


def add_tasks(caller, count, length):
    """Adds tasks with descriptions of this length. The count must be a multiple of 8."""
    body = {"title": "a", "description": "a" * length}

    def add(count_of_thread):
        connected = caller.with_new_connection()
        for _ in range(count_of_thread):
            status, text = connected.request("POST", connected.tasks_path, body)
            if status != 201:
                raise SystemExit(f"{status}: {text.decode()}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [count // 8] * 8))


@dataclass(frozen=True)
class Requests:
    """The durations of lists and refreshes in seconds, and every status that is not 200."""

    lists: list[float]
    refreshes: list[float]
    rejected: list[int]


def measure_requests(callers, seconds):
    """Lists and refreshes with all callers in parallel, for this many seconds."""
    measured = Requests([], [], [])

    def send(caller):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for durations, request in [(measured.lists, caller.list), (measured.refreshes, caller.refresh)]:
                started = time.monotonic()
                status = request()
                durations.append(time.monotonic() - started)
                if status != 200:
                    measured.rejected.append(status)
            time.sleep(0.01)

    with ThreadPoolExecutor(len(callers)) as pool:
        list(pool.map(send, callers))
    return measured


@dataclass(frozen=True)
class Slowdown:
    """The p95 in ms of requests before and during a load."""

    before: float
    during: float


def measure_searches(server, tasks, seconds):
    """Measures lists and refreshes of other accounts before and during the searches of one account. Returns their
    slowdown, the statuses of their rejected requests, and the durations of the searches by status."""
    searcher = Caller(server, "searcher@load.example")
    add_tasks(searcher, tasks, DESCRIPTION_LENGTH)
    others = [Caller(server, f"other{number}@load.example") for number in range(4)]
    for other in others:
        add_tasks(other, 24, 50)
    before = measure_requests(others, seconds)
    is_over, searches = threading.Event(), {}

    def search():
        connected = searcher.with_new_connection()
        while not is_over.is_set():
            started = time.monotonic()
            status, _ = connected.request("GET", f"{connected.tasks_path}?limit=500&q={SLOW_QUERY}")
            searches.setdefault(status, []).append(time.monotonic() - started)

    threads = [threading.Thread(target=search) for _ in range(SEARCHERS)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    during = measure_requests(others, seconds)
    is_over.set()
    for thread in threads:
        thread.join()
    slowdowns = {
        "list": Slowdown(percentile_ms(before.lists, .95), percentile_ms(during.lists, .95)),
        "refresh": Slowdown(percentile_ms(before.refreshes, .95), percentile_ms(during.refreshes, .95)),
    }
    return slowdowns, during.rejected, searches


@dataclass(frozen=True)
class MemoryUse:
    """Resident MiB before a load, the highest during the load, and the last while the connections are still open."""

    before: float
    highest: float
    after: float


def measure_unread_responses(server, seconds):
    """Opens connections that request the largest page and read nothing, and measures the memory of the server."""
    owner = Caller(server, "unread@load.example")
    add_tasks(owner, 128, DESCRIPTION_LENGTH)
    # Warms up, so that the memory of ordinary requests is not counted.
    for _ in range(20):
        owner.request("GET", f"{owner.tasks_path}?limit=500")
    before, highest = server.memory(), 0
    host, port = server.host.split(":")
    request = (f"GET {owner.tasks_path}?limit=500 HTTP/1.1\r\nHost: {server.host}\r\n"
               f"Authorization: Bearer {owner.token}\r\n\r\n").encode()
    connections = []
    for _ in range(UNREAD_CONNECTIONS):
        connections.append(socket.create_connection((host, int(port))))
        connections[-1].sendall(request * 8)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        highest = max(highest, server.memory())
        time.sleep(0.2)
    after = server.memory()
    for connection in connections:
        connection.close()
    return MemoryUse(before, highest, after)


def print_tables(options, servers):
    tasks, seconds, settle_seconds = (800, 3, 5) if options.quick else (10_000, 20, 60)
    lines, memory_lines = [], []
    for server in servers:
        slowdowns, rejected, searches = measure_searches(server, tasks, seconds)
        statuses = "; ".join(f"{status}: {len(durations)}, p50 {percentile_ms(durations, .5):.0f} ms"
                             for status, durations in sorted(searches.items()))
        for name, p95 in slowdowns.items():
            lines.append([f"{name}, {server.engine}", f"{p95.before:.1f} → {p95.during:.1f}", str(len(rejected)),
                          statuses, target_cell(p95.during, "p95 < 100 ms", lambda value: value < 100, options.quick)])
        memory = measure_unread_responses(server, settle_seconds)
        memory_lines.append([server.engine, f"{memory.before:.1f} → {memory.highest:.1f} → {memory.after:.1f}",
                             target_cell((memory.highest - memory.before) * MIB, "< 64 MB", lambda value: value < 64e6,
                                   options.quick)])
    table([f"{SEARCHERS} searches of one account", "others' p95 ms, before → during", "others rejected",
           "searches by status", "target"], lines)
    table([f"{UNREAD_CONNECTIONS} connections that read nothing",
           f"RSS MiB before → highest → after {settle_seconds} s", "target"], memory_lines)
