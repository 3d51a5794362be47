"""Compares the response times for known and for unknown email addresses with a rank test, while the mail server accepts
connections and never replies."""

import gc
import http.client
import json
import math
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from live import live_server, wait_until

# The number of requests for known addresses, and of those for unknown ones.
SAMPLES = 200
# The significance level: if the times do not differ, one measurement in a hundred has a lower probability.
SIGNIFICANCE_LEVEL = 0.01
PASSWORD = "correct horse battery staple"
NO_LIMITS = {"MAX_MAIL_REQUESTS_PER_NETWORK": "off", "MAX_REGISTRATIONS_PER_NETWORK": "off",
             "MAX_FAILED_LOGINS_PER_NETWORK": "off"}


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided probability of the Mann-Whitney U test: how often samples of one distribution differ at least as
    much as these. With the normal approximation, corrected for ties and for continuity, for at least 20 values each."""
    values = sorted([*first, *second])
    counts = Counter(values)
    ranks, next_rank = {}, 1
    for value in sorted(counts):
        ranks[value] = next_rank + (counts[value] - 1) / 2
        next_rank += counts[value]
    size, other_size, total = len(first), len(second), len(values)
    u = sum(ranks[value] for value in first) - size * (size + 1) / 2
    ties = sum(count**3 - count for count in counts.values()) / (total * (total - 1))
    deviation = math.sqrt(size * other_size / 12 * (total + 1 - ties))
    distance = max(abs(u - size * other_size / 2) - 0.5, 0)
    return math.erfc(distance / deviation / math.sqrt(2)) if deviation else 1.0


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Accepts connections during the block, and never sends anything. Yields the port and the connections."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def accept() -> None:
            while True:
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1], connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()


class Caller:
    """Sends requests over one connection."""

    def __init__(self, base: str):
        self.connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=60)
        self.token = None

    def post(self, path: str, body: dict, expected: Sequence[int], token: str | None = None) -> tuple[float, dict]:
        """Sends a request; returns the seconds until the response, and its JSON."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = json.dumps(body)
        started = time.perf_counter()
        self.connection.request("POST", path, data, headers)
        response = self.connection.getresponse()
        text = response.read()
        seconds = time.perf_counter() - started
        if response.status not in expected:
            raise SystemExit(f"{path}: {response.status} {text.decode()}")
        return seconds, json.loads(text)

    def register(self, address: str) -> dict:
        """Registers a user. Tries again after a 503, which a slow database causes, and after which the user may exist.
        If the address must be verified first, the response has no token."""
        body, statuses = {"email": address, "password": PASSWORD}, [201, 202, 409, 503]
        for _ in range(10):
            _, response = self.post("/api/auth/register", body, statuses)
            if response.get("status") != 503:
                break
            time.sleep(1)
        return response


@dataclass(frozen=True)
class Route:
    """A request whose response must not reveal whether an address has an account. `of_caller`: whether it needs a
    token."""

    name: str
    path: str
    body: Callable[[str], dict]
    settings: dict[str, str] | None = None
    of_caller: bool = False


ROUTES = [
    Route("reset", "/api/auth/password-reset", lambda address: {"email": address}),
    Route("verification", "/api/auth/email-verification", lambda address: {"email": address}),
    Route("registration", "/api/auth/register", lambda address: {"email": address, "password": PASSWORD},
          settings={"EMAIL_VERIFICATION": "required"}),
    Route("change", "/api/auth/email-change", lambda address: {"new_email": address, "password": PASSWORD},
          of_caller=True),
]


def addresses_of(kind: str, count: int) -> list[str]:
    """Different addresses that have the same length."""
    return [f"{kind}{number:05}@mail.example" for number in range(count)]


def measure_route(server: Path, folder: Path, route: Route, plant: Callable[[], None] | None = None,
                  samples: int = SAMPLES, **settings: str) -> tuple[list, list]:
    """The seconds until each response for known and for unknown addresses, requested in random order. `plant` is called
    before these requests."""
    with silent_server() as (port, connections):
        settings = NO_LIMITS | (route.settings or {}) | {"MAIL_FROM": "no-reply@api.example"} | settings
        with live_server(server, folder, **settings, SMTP_URL=f"smtp://127.0.0.1:{port}?tls=none") as base:
            caller = Caller(base)
            token = caller.register("caller@mail.example").get("access_token")
            known = addresses_of("known", samples)
            for address in known:
                caller.register(address)
            caller.post("/api/auth/password-reset", {"email": known[0]}, [202])
            if not wait_until(lambda: bool(connections), 10):
                raise SystemExit("no mail was tried")
            if plant:
                plant()
            return interleaved_times(caller, route, token if route.of_caller else None, known, samples)


def interleaved_times(caller: Caller, route: Route, token: str | None, known: list[str], samples: int):
    requests = [(0, address) for address in known] + [(1, address) for address in addresses_of("other", samples)]
    random.shuffle(requests)
    for address in addresses_of("first", 20):
        caller.post(route.path, route.body(address), [202], token)
    times = ([], [])
    gc.disable()
    for group, address in requests:
        times[group].append(caller.post(route.path, route.body(address), [202], token)[0])
    gc.enable()
    return times
