"""Measures refreshes: their rate, and how many rows and bytes they leave in the database."""

import itertools
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from . import wrk
from .databases import new_databases
from .report import at_least, target_cell, medians, ratios_to_neighbours, spread, table
from .rows import CONNECTIONS
from .server import PASSWORD, ApiServer

EMAILS = (f"refresher{number}@load.example" for number in itertools.count())
# The most live sessions that an account may have; a further login would end one.
SESSIONS_PER_ACCOUNT = 100
# The least refreshes per second.
TARGETS = {"SQLite": 2500, "PostgreSQL": 1500}


class RefreshServer(ApiServer):
    """An api-server with weak hashing, because every measurement begins with many logins."""

    def __init__(self, binary, database, folder):
        super().__init__(binary, database.url, folder, BCRYPT_COST="4", ALLOW_WEAK_HASHING="true")
        self.database = database

    def create_sessions(self, count):
        """Registers a new account and logs it in, until it has `count` sessions; returns their refresh tokens."""
        email = next(EMAILS)
        grants = [self.register(email)]
        for _ in range(count - 1):
            grants.append(self.expect(200, "POST", "/api/auth/login", {"email": email, "password": PASSWORD}))
        return [grant["refresh_token"] for grant in grants]

    def refresh(self, seconds, sessions):
        """Creates this many sessions, and measures with wrk their refreshes, each with the session's latest token."""
        counts = [min(SESSIONS_PER_ACCOUNT, sessions - first) for first in range(0, sessions, SESSIONS_PER_ACCOUNT)]
        with tempfile.NamedTemporaryFile("w") as tokens:
            for count in counts:
                tokens.writelines(f"{token}\n" for token in self.create_sessions(count))
            tokens.flush()
            return wrk.send_requests(self.url("/api/auth/refresh"), seconds, CONNECTIONS, method="POST",
                                     refresh_tokens=tokens.name)


def row_of_rate(options, server, bare_handler):
    """Measures refreshes in several rounds, and the bare handler before and after each."""
    def measure_bare_handler():
        return wrk.send_requests(bare_handler.url("/"), options.seconds, CONNECTIONS).per_second

    measured, compared = [], [measure_bare_handler()]
    for _ in range(options.rounds):
        measured.append(server.refresh(options.seconds, sessions=2 * CONNECTIONS))
        compared.append(measure_bare_handler())
    rates = [measurement.per_second for measurement in measured]
    rate, p50, p99 = medians(measured)
    engine = server.database.engine
    return [f"refresh, {engine}", spread(rates, 0), f"{p50:.2f}", f"{p99:.2f}",
            f"{statistics.median(ratios_to_neighbours(rates, compared)):.3f}",
            at_least(rate, TARGETS[engine], options.quick)]


def row_of_long_run(options, server):
    """Creates sessions and refreshes them for a minute (in a quick run, for 5 s). Measures the size on disk and the
    number of new rows, which must be one per session."""
    seconds, sessions = (5, 100) if options.quick else (60, 1000)
    before, sizes = server.database.count_sessions(), []
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(server.refresh, seconds, sessions)
        while not pending.done():
            sizes.append(server.database.size())
            time.sleep(1)
        request_count = pending.result().requests
    new_rows = server.database.count_sessions() - before
    second_half = sizes[len(sizes) // 2:]
    return [f"{sessions} sessions for {seconds} s, {server.database.engine}", f"{request_count}", f"{new_rows}",
            f"{max(sizes):.1f}", f"{min(second_half):.1f}–{max(second_half):.1f}",
            target_cell(new_rows, f"{sessions} rows", lambda value: value == sessions)]


def print_tables(options, binary, bare_handler, folder):
    rates, long_runs = [], []
    with new_databases(folder / "refreshes") as databases:
        for database in databases:
            with RefreshServer(binary, database, folder) as server:
                rates.append(row_of_rate(options, server, bare_handler))
                long_runs.append(row_of_long_run(options, server))
    table(["row", "a second (lowest–highest)", "p50 ms", "p99 ms", "ratio to the bare handler", "target"], rates)
    table(["long run", "refreshes", "new rows", "highest MiB on disk", "MiB in the second half", "target"], long_runs)
