"""One account or client that asks for all it can get, and what others notice of it."""

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from loadlib.logins import percentile

HOSTILE = "a" * 199 + "b"


class Caller:
    """An account on one connection that is kept."""

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

    def again(self):
        """The same account on another connection."""
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
        client = caller.again()
        for _ in range(share):
            status, text = client.request("POST", client.tasks, body)
            if status != 201:
                raise SystemExit(f"{status}: {text.decode()}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [count // 8] * 8))


def measure(callers, seconds):
    """Durations of lists and refreshes in seconds, and every status that is not 200."""
    lists, refreshes, refused = [], [], []

    def ask(caller):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for durations, request in [(lists, caller.list), (refreshes, caller.refresh)]:
                started = time.monotonic()
                status = request()
                durations.append(time.monotonic() - started)
                if status != 200:
                    refused.append(status)
            time.sleep(0.01)

    with ThreadPoolExecutor(len(callers)) as pool:
        list(pool.map(ask, callers))
    return lists, refreshes, refused


def searches(server, tasks, length, searchers, seconds):
    """Others' lists and refreshes before and during the searches, what was refused to them, the searches by status."""
    hostile = Caller(server, "hostile@load.example")
    add_tasks(hostile, tasks, length)
    others = [Caller(server, f"other{number}@load.example") for number in range(4)]
    for other in others:
        add_tasks(other, 24, 50)
    quiet = measure(others, seconds)
    over, found = threading.Event(), {}

    def search():
        client = hostile.again()
        while not over.is_set():
            started = time.monotonic()
            status, _ = client.request("GET", f"{client.tasks}?limit=500&q={HOSTILE}")
            found.setdefault(status, []).append(time.monotonic() - started)

    threads = [threading.Thread(target=search) for _ in range(searchers)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    during = measure(others, seconds)
    over.set()
    for thread in threads:
        thread.join()
    figures = [(percentile(before, .95), percentile(now, .95)) for before, now in zip(quiet[:2], during[:2])]
    return figures, during[2], found


def unread(server, connections, patience):
    """RSS before, the highest, and after: of connections that ask for the largest page and read nothing."""
    owner = Caller(server, "unread@load.example")
    add_tasks(owner, 128, 10_000)
    # What the tasks themselves have cost is not what the test is about.
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
    end = time.monotonic() + patience
    while time.monotonic() < end:
        highest = max(highest, server.memory())
        time.sleep(0.2)
    after = server.memory()
    for one in held:
        one.close()
    return before, highest, after
