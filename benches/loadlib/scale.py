"""Compares a server with one million users with one that has hardly any, on each engine."""

import sqlite3
import statistics
from pathlib import Path

from common import shell

from . import wrk
from .databases import Database, new_databases
from .populated import PopulatedServer
from .refreshes import RefreshServer
from .report import ratios_to_neighbours, spread, table, target_cell
from .rows import CONNECTIONS, rows_of
from .server import ApiServer

USERS, QUICK_USERS = 1_000_000, 10_000
# The factor by which a request may take longer with many users.
TARGET = 1.1
# The columns of each table, and the value of each for the user number `n`. Each user has a session and two tasks.
# The ids grow with `n`, as those of real users grow with the time.
ID, TIME = "'load-' || substr('0000000000' || n, -10)", "'2026-01-02 03:04:05.000000'"
ROWS = [
    ("users", "id, email, email_verified, created_at, updated_at",
     f"{ID}, 'user' || n || '@million.example', TRUE, {TIME}, {TIME}"),
    ("sessions", "id, user_id, counter, late_recoveries, created_at, last_used_at, expires_at",
     f"{ID}, {ID}, 0, 0, {TIME}, {TIME}, '2099-01-02 03:04:05.000000'"),
    *2 * [("tasks", "user_id, title, description, completed, created_at, updated_at",
           f"{ID}, 'Buy milk', 'Two litres', FALSE, {TIME}, {TIME}")],
]


def fill(database: Database, count: int) -> None:
    """Adds this many users to the database."""
    for name, columns, values in ROWS:
        if database.engine == "SQLite":
            numbers = f"(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) " \
                      "SELECT n FROM numbers)"
            with sqlite3.connect(database.sqlite_file, timeout=60) as connection:
                connection.execute(f"INSERT INTO {name} ({columns}) SELECT {values} FROM {numbers}")
            connection.close()
        else:
            # In PostgreSQL, `substr` does not count a negative start from the end, and texts are not cast to times.
            values_of_engine = values.replace("substr('0000000000' || n, -10)", "lpad(n::text, 10, '0')")
            for time in {TIME, "'2099-01-02 03:04:05.000000'"}:
                values_of_engine = values_of_engine.replace(time, f"TIMESTAMP {time}")
            shell("query", database.url, f"INSERT INTO {name} ({columns}) SELECT {values_of_engine} "
                                         f"FROM generate_series(1, {count}) AS numbers (n)")
    if database.engine != "SQLite":
        # As autovacuum does in the minutes after so many inserts.
        shell("query", database.url, "VACUUM ANALYZE")


def compared(options, name: str, measure_small, measure_large) -> list[str]:
    """Measures the large server in turns with the small one. Returns the line of the table."""
    small, large = [measure_small()], []
    for _ in range(options.rounds):
        large.append(measure_large())
        small.append(measure_small())
    times = [1 / ratio for ratio in ratios_to_neighbours(large, small)]
    cell = target_cell(statistics.median(times), f"≤ {TARGET}", lambda value: value <= TARGET, options.quick)
    return [name, f"{statistics.median(small):.0f}", f"{statistics.median(large):.0f}", spread(times, 3), cell]


def print_tables(options, binary: Path, folder: Path) -> None:
    count = QUICK_USERS if options.quick else USERS
    lines = []
    with new_databases(folder / "small") as small_databases, new_databases(folder / "large") as large_databases:
        for small_database, large_database in zip(small_databases, large_databases, strict=True):
            # Creates the tables: a server migrates its database when it starts.
            with ApiServer(binary, large_database.url, folder):
                pass
            fill(large_database, count)
            lines += lines_of(options, binary, folder, small_database, large_database)
    table([f"{count} users", "req/s with two users", f"req/s with {count}", "times slower (lowest–highest)", "target"], lines)


def lines_of(options, binary, folder, small_database: Database, large_database: Database):
    """The lines of one engine."""
    with RefreshServer(binary, small_database, folder) as small, RefreshServer(binary, large_database, folder) as large:
        def refresh(server):
            return lambda: server.refresh(options.seconds, 2 * CONNECTIONS).per_second
        yield compared(options, f"refresh, {small_database.engine}", refresh(small), refresh(large))
    with PopulatedServer(binary, small_database, folder / "small") as small, \
            PopulatedServer(binary, large_database, folder / "large") as large:
        for small_row, large_row in zip(rows_of(small), rows_of(large), strict=True):
            def measure(row):
                return lambda: row.measure(wrk, options.seconds).per_second
            yield compared(options, small_row.name, measure(small_row), measure(large_row))
