"""Measures how long an honest login waits during login storms from other networks."""

import asyncio
import http.client
import itertools
import json
import threading
import time
from collections import Counter

from .server import PASSWORD, ApiServer

EMAIL = "honest@load.example"
# Seconds until a client of a storm tries again after a response other than 401.
RETRY = 0.2


class StormServer(ApiServer):
    """An api-server that trusts X-Forwarded-For, so that one machine can simulate many networks, and that does not limit
    failed logins."""

    def __init__(self, binary, database_url, folder):
        super().__init__(binary, database_url, folder, TRUSTED_PROXIES="127.0.0.1", MAX_FAILED_LOGINS_PER_NETWORK="off")
        # The account may exist already: several servers use the same database, one after the other.
        status, text = self.request("POST", "/api/auth/register", {"email": EMAIL, "password": PASSWORD})
        if status not in (201, 409):
            raise SystemExit(f"register: {status}: {text.decode()}")


class StormClient(asyncio.Protocol):
    """Sends a login with a wrong password, and the next one after its response."""

    emails = (f"unknown{number}@load.example" for number in itertools.count())

    def __init__(self, host, network, statuses):
        self.host, self.network, self.statuses = host, network, statuses

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        if self.transport.is_closing():
            return
        body = json.dumps({"email": next(self.emails), "password": "wrong password"})
        self.received = b""
        self.transport.write(f"POST /api/auth/login HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
                             f"X-Forwarded-For: {self.network}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def data_received(self, data):
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not end or len(body) < int(length):
            return
        status = int(head[9:12])
        self.statuses[status] += 1
        if status == 401:
            self.send()
        else:
            asyncio.get_running_loop().call_later(RETRY, self.send)


async def run_storm(server, networks, connections, is_over, statuses):
    """Runs `connections` clients in each of `networks` networks until `is_over` is set."""
    host, port = server.host.split(":")
    loop = asyncio.get_running_loop()
    clients = []
    for number in range(networks * connections):
        network = f"198.18.{number % networks}.1"
        clients.append(await loop.create_connection(lambda: StormClient(server.host, network, statuses), host, int(port)))
    while not is_over.is_set():
        await asyncio.sleep(0.1)
    for transport, _ in clients:
        transport.abort()


def log_in(server, network):
    """Logs in with the right password from this network; returns the status and the seconds."""
    connection = http.client.HTTPConnection(server.host, timeout=120)
    started = time.monotonic()
    connection.request("POST", "/api/auth/login", json.dumps({"email": EMAIL, "password": PASSWORD}),
                       {"Content-Type": "application/json", "X-Forwarded-For": network})
    status = connection.getresponse().status
    connection.close()
    return status, time.monotonic() - started


def measure(server, networks, connections, logins, settle):
    """Runs honest logins one after the other during a storm. Returns their statuses and durations, the number of the
    storm's responses by status, and resident MiB."""
    is_over, statuses = threading.Event(), Counter()
    storm = threading.Thread(target=lambda: asyncio.run(run_storm(server, networks, connections, is_over, statuses)))
    storm.start()
    time.sleep(settle)
    found = [log_in(server, f"203.0.113.{number}") for number in range(logins)]
    memory = server.memory()
    is_over.set()
    storm.join()
    return found, statuses, memory
