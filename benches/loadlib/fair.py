"""Measures how one account or client under full load affects others."""

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from loadlib.logins import percentile

# Matches no task, but only after a comparison at every position.
SLOW_QUERY = "a" * 199 + "b"


class Caller:
    """An account with one persistent connection."""

    def __init__(self, server, email):
        grant = server.register(email)
        self.host, self.token, self.refresh_token = server.host, grant["access_token"], grant["refresh_token"]
        self.tasks = f"/api/{grant['user']['id']}/tasks"
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def request(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def reconnected(self):
        """The same account with another connection."""
        other = object.__new__(Caller)
        other.__dict__ = self.__dict__ | {"connection": http.client.HTTPConnection(self.host, timeout=60)}
        return other

    def list(self):
        return self.request("GET", self.tasks)[0]

    def refresh(self):
        status, text = self.request("POST", "/api/auth/refresh", {"refresh_token": self.refresh_token})
        if status == 200:
            self.refresh_token = json.loads(text)["refresh_token"]
        return status


def add_tasks(caller, count, length):
    body = {"title": "a", "description": "a" * length}

    def add(share):
        client = caller.reconnected()
        for _ in range(share):
            status, text = client.request("POST", client.tasks, body)
            if status != 201:
                raise SystemExit(f"{status}: {text.decode()}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [count // 8] * 8))


def measure(callers, seconds):
    """Durations of lists and refreshes in seconds, and every status that is not 200."""
    lists, refreshes, rejected = [], [], []

    def send(caller):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for durations, request in [(lists, caller.list), (refreshes, caller.refresh)]:
                started = time.monotonic()
                status = request()
                durations.append(time.monotonic() - started)
                if status != 200:
                    rejected.append(status)
            time.sleep(0.01)

    with ThreadPoolExecutor(len(callers)) as pool:
        list(pool.map(send, callers))
    return lists, refreshes, rejected


def searches(server, tasks, length, searchers, seconds):
    """Measures lists and refreshes of other accounts before and during the searches of one account. Returns their p95 in
    ms, the statuses of their rejected requests, and the durations of the searches by status."""
    searcher = Caller(server, "searcher@load.example")
    add_tasks(searcher, tasks, length)
    others = [Caller(server, f"other{number}@load.example") for number in range(4)]
    for other in others:
        add_tasks(other, 24, 50)
    quiet = measure(others, seconds)
    is_over, found = threading.Event(), {}

    def search():
        client = searcher.reconnected()
        while not is_over.is_set():
            started = time.monotonic()
            status, _ = client.request("GET", f"{client.tasks}?limit=500&q={SLOW_QUERY}")
            found.setdefault(status, []).append(time.monotonic() - started)

    threads = [threading.Thread(target=search) for _ in range(searchers)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    during = measure(others, seconds)
    is_over.set()
    for thread in threads:
        thread.join()
    figures = [(percentile(before, .95), percentile(now, .95)) for before, now in zip(quiet[:2], during[:2])]
    return figures, during[2], found


def unread(server, connections, seconds):
    """Opens connections that request the largest page and read nothing; returns RSS in MiB before, at most, and after."""
    owner = Caller(server, "unread@load.example")
    add_tasks(owner, 128, 10_000)
    # Warms up, so that the memory of ordinary requests is not counted.
    for _ in range(20):
        owner.request("GET", f"{owner.tasks}?limit=500")
    before, highest = server.memory(), 0
    host, port = server.host.split(":")
    request = (f"GET {owner.tasks}?limit=500 HTTP/1.1\r\nHost: {server.host}\r\n"
               f"Authorization: Bearer {owner.token}\r\n\r\n").encode()
    held = []
    for _ in range(connections):
        held.append(socket.create_connection((host, int(port))))
        held[-1].sendall(request * 8)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        highest = max(highest, server.memory())
        time.sleep(0.2)
    after = server.memory()
    for one in held:
        one.close()
    return before, highest, after
