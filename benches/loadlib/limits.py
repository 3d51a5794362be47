"""Compares routes that query the database with the limit of the machine, which is computed from two rates: that of a
bare handler without a query, and that of a raw client that only executes the query. In each round the route, the bare
handler and the raw client are measured one after the other, on the same database."""

import sqlite3
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import shell

from . import wrk
from .populated import PopulatedServer, sample_task
from .refreshes import RefreshServer
from .report import CORES, at_least, spread, table
from .rows import CONNECTIONS, rows_of

# The connections of pgbench.
RAW_CONNECTIONS = 16
# The values of `$now` and `$never` in the statements, on each engine. `$never` is in the future, because the server
# deletes expired sessions.
TIMES = {
    "SQLite": {"$now": "'2026-01-02 03:04:05.000000'", "$never": "'2099-01-02 03:04:05.000000'"},
    "PostgreSQL": {"$now": "now()", "$never": "TIMESTAMP '2099-01-02 03:04:05'"},
}
COLUMNS = "id, title, description, completed, created_at, updated_at"
LIST = f"SELECT {COLUMNS} FROM tasks WHERE user_id = $1 AND id < 9223372036854775807 ORDER BY id DESC LIMIT 20"
TASK = sample_task(0)
CREATE = (f"INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at) "
          f"VALUES ($1, '{TASK['title']}', '{TASK['description']}', FALSE, $now, $now) RETURNING {COLUMNS}")
FIND_SESSION = ("SELECT id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, "
                "last_used_at, expires_at, revoked_at, ip_address, user_agent FROM sessions WHERE id = $1")
ADVANCE_SESSION = ("UPDATE sessions SET counter = counter + 1, rotated_at = $now, last_used_at = $now, "
                   "expires_at = $never WHERE id = $1")
# The sessions of the raw clients: one each, so that they do not wait for each other's rows.
ADD_SESSION = ("INSERT INTO sessions (id, user_id, counter, late_recoveries, created_at, last_used_at, expires_at) "
               "SELECT '{}', id, 0, 0, $now, $now, $never FROM users LIMIT 1")




@dataclass(frozen=True)
class RawClient:
    """Executes statements with one parameter, `$1`, without a server."""

    server: PopulatedServer
    # The program of api-server/examples/sqlite_rate.rs.
    program: Path
    seconds: int

    def rate(self, parameter: str, *statements: str) -> float:
        """Executions of all statements per second. `*` at the end of the parameter becomes the number of the client."""
        texts = [self.with_times(statement) for statement in statements]
        return self.rate_on_sqlite(parameter, texts) if self.on_sqlite else self.rate_on_postgres(parameter, texts)

    @property
    def on_sqlite(self) -> bool:
        return self.server.engine == "SQLite"

    def with_times(self, statement: str) -> str:
        for name, value in TIMES[self.server.engine].items():
            statement = statement.replace(name, value)
        return statement

    def rate_on_sqlite(self, parameter: str, statements: Sequence[str]) -> float:
        texts = [text.replace("$1", "?1") for text in statements]
        command = [self.program, self.server.database.sqlite_file, str(self.seconds), parameter, *texts]
        return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)

    def rate_on_postgres(self, parameter: str, statements: Sequence[str]) -> float:
        value = "(:parameter || :client_id)" if parameter.endswith("*") else ":parameter"
        with tempfile.NamedTemporaryFile("w") as script:
            script.writelines(f"{text.replace('$1', value)};\n" for text in statements)
            script.flush()
            pgbench = f"{shell('postgres_binaries')}/pgbench"
            output = shell(pgbench, "--protocol=prepared", "--no-vacuum", f"--define=parameter={parameter.rstrip('*')}",
                           f"--time={self.seconds}", f"--client={RAW_CONNECTIONS}", f"--jobs={CORES}",
                           f"--file={script.name}", self.server.database.url)
        return float(output.split("tps = ")[1].split()[0])

    def add_sessions(self) -> None:
        for client in range(max(CORES, RAW_CONNECTIONS)):
            statement = self.with_times(ADD_SESSION.format(f"raw-{client}"))
            if self.on_sqlite:
                with sqlite3.connect(self.server.database.sqlite_file, timeout=60) as connection:
                    connection.execute(statement)
                connection.close()
            else:
                shell("query", self.server.database.url, statement)


@dataclass(frozen=True)
class Route:
    name: str
    # The least share of the limit.
    target: float
    # Requests per second.
    measure: Callable[[], float]
    # Executions of the route's statements per second, by the raw client.
    measure_raw: Callable[[], float]


def routes_of(options, server: PopulatedServer, refresh_server: RefreshServer, raw: RawClient) -> list[Route]:
    _, list_row, create_row = rows_of(server)
    reader, writer = server.reader["user"]["id"], server.writer["user"]["id"]
    return [
        Route(list_row.name, 0.75, lambda: list_row.measure(wrk, options.seconds).per_second,
              lambda: raw.rate(reader, LIST)),
        Route(create_row.name, 0.75, lambda: create_row.measure(wrk, options.seconds).per_second,
              lambda: raw.rate(writer, CREATE)),
        Route(f"refresh, {server.engine}", 0.6,
              lambda: refresh_server.refresh(options.seconds, 2 * CONNECTIONS).per_second,
              lambda: raw.rate("raw-*", FIND_SESSION, ADVANCE_SESSION)),
    ]


def print_tables(options, programs, bare_handler, servers: list[PopulatedServer], folder: Path) -> None:
    def measure_bare_handler() -> float:
        return wrk.send_requests(bare_handler.url("/"), options.seconds, CONNECTIONS).per_second

    lines = []
    for server in servers:
        raw = RawClient(server, programs.sqlite_rate, options.seconds)
        raw.add_sessions()
        with RefreshServer(programs.server, server.database, folder) as refresh_server:
            for route in routes_of(options, server, refresh_server, raw):
                measured = []
                for _ in range(options.rounds):
                    rate, bare, raw_rate = route.measure(), measure_bare_handler(), route.measure_raw()
                    measured.append((rate, raw_rate, 1 / (1 / bare + 1 / raw_rate)))
                rates, raw_rates, limits = zip(*measured, strict=True)
                shares = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
                lines.append([route.name, *(f"{statistics.median(values):.0f}" for values in (rates, raw_rates, limits)),
                              spread(shares, 2), at_least(statistics.median(shares), route.target, options.quick)])
    table(["with a query, by wrk", "req/s", "raw client, executions/s", "limit, req/s", "share (lowest–highest)", "target"],
          lines)
