"""Sends many logins with wrong passwords in parallel."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Email addresses without an account.
UNKNOWN_EMAILS = (f"unknown{number}@load.example" for number in itertools.count())


@dataclass(frozen=True)
class Storm:
    """The data that the clients of a storm share.

    `retry_delay` is the seconds until a client tries again after a response other than 401, and `durations` the seconds
    until each response, by status.
    """

    host: str
    emails: Iterator[str]
    retry_delay: float
    durations: dict[int, list[float]]


class StormClient(asyncio.Protocol):
    """One connection, which sends a login with a wrong password, and the next one after its response."""

    def __init__(self, storm: Storm, ip_address: str):
        self.storm, self.ip_address = storm, ip_address

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        if self.transport.is_closing():
            return
        body = json.dumps({"email": next(self.storm.emails), "password": "wrong password"})
        self.received, self.started = b"", time.monotonic()
        self.transport.write(
            f"POST /api/auth/login HTTP/1.1\r\nHost: {self.storm.host}\r\nContent-Type: application/json\r\n"
            f"X-Forwarded-For: {self.ip_address}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def data_received(self, data):
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not end or len(body) < int(length):
            return
        status = int(head[9:12])
        self.storm.durations.setdefault(status, []).append(time.monotonic() - self.started)
        if status == 401 or not self.storm.retry_delay:
            self.send()
        else:
            asyncio.get_running_loop().call_later(self.storm.retry_delay, self.send)


async def run_storm(storm: Storm, ip_addresses: list[str], continues: Callable[[], bool]) -> None:
    """Runs a client for each of the IP addresses, which it sends in X-Forwarded-For, while `continues` returns
    true. A server that does not trust the header counts all clients as one network."""
    address, port = storm.host.split(":")
    loop = asyncio.get_running_loop()
    transports = []
    for ip_address in ip_addresses:
        transport, _ = await loop.create_connection(lambda: StormClient(storm, ip_address), address, int(port))
        transports.append(transport)
    while continues():
        await asyncio.sleep(0.1)
    for transport in transports:
        transport.abort()
