"""Logins: how many a second, what a storm of them does to everybody else, what their time gives away."""

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
    """Checks a second when there is nothing but bcrypt on every core."""
    return float(subprocess.run([binary, str(cost), str(seconds)], stdout=subprocess.PIPE, text=True, check=True).stdout)


def login_rate(server, email, cores, seconds):
    """Logins a second and their durations, with twice as many callers as cores."""
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
    # They end in batches, one a core: from the end of the first batch to that of the last one with every core busy.
    first, last = cores - 1, len(ends) - 1 - cores
    if last <= first:
        raise SystemExit("too few logins to say how many there are in a second")
    return (last - first) / (ends[last] - ends[first]), [duration for _, duration in done]


def give_away(server, known, samples):
    """Median milliseconds of a wrong password for a known and for an unknown address, asked in turn."""
    times = {known: [], "nobody@load.example": []}
    for _ in range(samples):
        for email, durations in times.items():
            started = time.monotonic()
            server.expect(401, "POST", "/api/auth/login", {"email": email, "password": "wrong password"})
            durations.append(time.monotonic() - started)
    return [statistics.median(durations) * 1e3 for durations in times.values()]


class Caller(asyncio.Protocol):
    """One client of a storm: as soon as it is answered it tries again, whatever the answer."""

    def __init__(self, host, emails, answers):
        self.host, self.emails, self.answers = host, emails, answers

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
            self.answers[int(head[9:12])].append(time.monotonic() - self.started)
            self.send()


async def besiege(server, emails, clients, seconds, memory):
    answers, host, port = defaultdict(list), *server.host.split(":")
    loop = asyncio.get_running_loop()
    callers = [await loop.create_connection(lambda: Caller(server.host, emails, answers), host, int(port))
               for _ in range(clients)]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        memory.append(server.memory())
        await asyncio.sleep(0.2)
    for transport, _ in callers:
        transport.abort()
    return answers


def look_at_session(host, token, seconds, results):
    """A hundred `GET session` a second over one connection; their durations."""
    connection, durations = http.client.HTTPConnection(host), []
    until = time.monotonic() + seconds
    while (started := time.monotonic()) < until:
        connection.request("GET", "/api/auth/session", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET session answered {answer.status}")
        durations.append(time.monotonic() - started)
        time.sleep(max(0.0, started + 0.01 - time.monotonic()))
    results.put(durations)


def session_durations(server, token, seconds):
    """Starts to measure at once, in a process of its own; call the result to wait for the end."""
    results = multiprocessing.Queue()
    prober = multiprocessing.Process(target=look_at_session, args=(server.host, token, seconds, results))
    prober.start()

    def collect():
        durations = results.get(timeout=seconds + 30)
        prober.join()
        return durations

    return collect


def storm(server, token, emails, clients, seconds):
    """Durations of `GET session` before and during, durations of the logins by status, resident MiB."""
    quiet = session_durations(server, token, min(seconds, 5))()
    memory = [server.memory()]
    watched = session_durations(server, token, seconds)
    answers = asyncio.run(besiege(server, emails, clients, seconds, memory))
    return quiet, watched(), answers, [*memory, server.memory()]
