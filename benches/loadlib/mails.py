"""Measures requests for mails: whether their time reveals that an address has an account, and what many requests for
unknown addresses leave in memory and in the outbox."""

import http.client
import json
import sqlite3
import statistics
import threading
import time

from common import shell
from live import WEAK_HASHING, wait_until
from ranks import SIGNIFICANCE_LEVEL, NO_LIMITS, ROUTES, SAMPLES, measure_route, rank_test, silent_server

from .databases import new_databases
from .report import target_cell, table
from .server import ApiServer

REQUESTS = 10_000
CONNECTIONS = 16
# The most MiB by which the memory may grow, including the connections and the buffers of their threads.
MEMORY_GROWTH = 8


def request_mails(server, addresses):
    """Requests a mail for every address over a few connections; returns the requests per second."""
    remaining, lock, failures = iter(addresses), threading.Lock(), []

    def request_repeatedly():
        connection = http.client.HTTPConnection(server.host, timeout=60)
        while True:
            with lock:
                address = next(remaining, None)
            if address is None:
                return
            connection.request("POST", "/api/auth/password-reset", json.dumps({"email": address}),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 202:
                failures.append((response.status, text))
                return

    started = time.monotonic()
    threads = [threading.Thread(target=request_repeatedly) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"a request for a mail failed: {failures[0]}")
    return len(addresses) / (time.monotonic() - started)


def count_rows(database, condition="1 = 1"):
    sql = f"SELECT COUNT(*) FROM outbox WHERE {condition}"
    if database.engine == "SQLite":
        return sqlite3.connect(database.sqlite_file, timeout=30).execute(sql).fetchone()[0]
    return int(shell("query", database.url, sql))


def flood(binary, database, folder, silent_port):
    """Sends REQUESTS requests to a server that is already waiting for a silent mail server. Returns the line of the
    table."""
    settings = {**NO_LIMITS, **WEAK_HASHING, "MAIL_FROM": "no-reply@load.example",
                "SMTP_URL": f"smtp://127.0.0.1:{silent_port}?tls=none"}
    with ApiServer(binary, database.url, folder, **settings) as server:
        server.register("ada@load.example")
        # Warms up the server, so that the memory which it allocates only once is not counted as growth.
        request_mails(server, [f"warm{number}@load.example" for number in range(500)])
        wait_until(lambda: count_rows(database, "next_attempt_at IS NOT NULL") == 0, 60)
        server.expect(202, "POST", "/api/auth/password-reset", {"email": "ada@load.example"})
        before, highest = server.memory(), []
        is_over = threading.Event()

        def watch():
            while not is_over.wait(0.1):
                highest.append(server.memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        rate = request_mails(server, [f"user{number}@load.example" for number in range(REQUESTS)])
        is_over.set()
        watcher.join()
        waiting, rows = count_rows(database, "next_attempt_at IS NOT NULL"), count_rows(database)
        after = server.memory()
        peak = max([*highest, after])
        grown = peak - before
        return [database.engine, f"{rate:.0f}", f"{before:.1f} → {peak:.1f} → {after:.1f}", waiting, rows,
                target_cell(grown, f"grows by ≤ {MEMORY_GROWTH} MiB", lambda value: value <= MEMORY_GROWTH)]


def print_floods(options, binary, folder):
    lines = []
    with new_databases(folder / "floods") as databases, silent_server() as (port, _):
        for database in databases:
            lines.append(flood(binary, database, folder, port))
    table([f"{REQUESTS} requests for unknown addresses", "a second", "RSS MiB before → highest → after",
           "rows that wait", "rows", "target"], lines)


def print_times(options, binary, folder):
    lines = []
    for route in ROUTES:
        with new_databases(folder / route.name) as databases:
            for database in databases:
                settings = {"DATABASE_URL": database.url, "AUTH_SECRET": "a7Kq0vXw2mTzR9bLs4NcYp6EhGd8JfUu"}
                known, unknown = measure_route(binary, folder, route, **settings)
                medians = [f"{statistics.median(times) * 1e3:.3f}" for times in (known, unknown)]
                probability = rank_test(known, unknown)
                lines.append([f"{route.name}, {database.engine}", *medians, f"{probability:.3f}",
                              target_cell(probability, f"p > {SIGNIFICANCE_LEVEL}",
                                          lambda value: value > SIGNIFICANCE_LEVEL, options.quick)])
    table([f"requests for mails ({SAMPLES} each)", "known address, median ms", "unknown address, median ms",
           "p of the rank test", "target"], lines)


def print_tables(options, binary, folder):
    print_times(options, binary, folder)
    print_floods(options, binary, folder)
