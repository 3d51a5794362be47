"""Measures logins: their rate, how a storm of them slows other requests, and whether their time reveals an account."""

import asyncio
import http.client
import json
import multiprocessing
import statistics
import subprocess
import threading
import time
from collections import defaultdict

from .server import PASSWORD


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1e3


def raw_rate(binary, cost, seconds):
    """Measures bcrypt alone on every core, in hashes per second."""
    return float(subprocess.run([binary, str(cost), str(seconds)], stdout=subprocess.PIPE, text=True, check=True).stdout)


def login_rate(server, email, cores, seconds):
    """Measures logins per second and their durations, with twice as many callers as cores."""
    done, until = [], time.monotonic() + seconds

    def caller():
        while (started := time.monotonic()) < until:
            server.expect(200, "POST", "/api/auth/login", {"email": email, "password": PASSWORD})
            done.append((time.monotonic(), time.monotonic() - started))

    callers = [threading.Thread(target=caller) for _ in range(2 * cores)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    ends = sorted(end for end, _ in done)
    # Logins end in batches of one per core. Counts from the end of the first batch to the end of the last complete one.
    first, last = cores - 1, len(ends) - 1 - cores
    if last <= first:
        raise SystemExit("too few logins to compute a rate; measure longer")
    return (last - first) / (ends[last] - ends[first]), [duration for _, duration in done]


def wrong_password_times(server, known, samples):
    """Median milliseconds of a wrong password for a known and an unknown email address, measured alternately."""
    times = {known: [], "no-account@load.example": []}
    for _ in range(samples):
        for email, durations in times.items():
            started = time.monotonic()
            server.expect(401, "POST", "/api/auth/login", {"email": email, "password": "wrong password"})
            durations.append(time.monotonic() - started)
    return [statistics.median(durations) * 1e3 for durations in times.values()]


class Caller(asyncio.Protocol):
    """One client of a storm: it tries again after each response, whatever the status."""

    def __init__(self, host, emails, responses):
        self.host, self.emails, self.responses = host, emails, responses

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        body = json.dumps({"email": next(self.emails), "password": "wrong password"})
        self.received, self.started = b"", time.monotonic()
        self.transport.write(f"POST /api/auth/login HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
                             f"Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def data_received(self, data):
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if end and len(body) >= int(length):
            self.responses[int(head[9:12])].append(time.monotonic() - self.started)
            self.send()


async def run_storm(server, emails, clients, seconds, memory):
    responses, host, port = defaultdict(list), *server.host.split(":")
    loop = asyncio.get_running_loop()
    callers = [await loop.create_connection(lambda: Caller(server.host, emails, responses), host, int(port))
               for _ in range(clients)]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        memory.append(server.memory())
        await asyncio.sleep(0.2)
    for transport, _ in callers:
        transport.abort()
    return responses


def measure_session(host, token, seconds, results):
    """Sends a hundred `GET session` per second over one connection; puts their durations into `results`."""
    connection, durations = http.client.HTTPConnection(host), []
    until = time.monotonic() + seconds
    while (started := time.monotonic()) < until:
        connection.request("GET", "/api/auth/session", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise SystemExit(f"GET session responded with {response.status}")
        durations.append(time.monotonic() - started)
        time.sleep(max(0.0, started + 0.01 - time.monotonic()))
    results.put(durations)


def session_durations(server, token, seconds):
    """Starts a measurement in another process. Returns a function that waits for its end and returns the durations."""
    results = multiprocessing.Queue()
    prober = multiprocessing.Process(target=measure_session, args=(server.host, token, seconds, results))
    prober.start()

    def collect():
        durations = results.get(timeout=seconds + 30)
        prober.join()
        return durations

    return collect


def storm(server, token, emails, clients, seconds):
    """Durations of `GET session` before and during a storm, durations of the logins by status, and resident MiB."""
    quiet = session_durations(server, token, min(seconds, 5))()
    memory = [server.memory()]
    watched = session_durations(server, token, seconds)
    responses = asyncio.run(run_storm(server, emails, clients, seconds, memory))
    return quiet, watched(), responses, [*memory, server.memory()]
