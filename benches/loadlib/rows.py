"""Measures typical requests, and compares each with a bare actix handler."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from . import oha, wrk
from .populated import PopulatedServer, sample_task, tasks_path
from .report import at_least, medians, ratios_to_neighbours, spread, table

CONNECTIONS = 64
# The least acceptable ratio of the requests per second to those of the bare handler, for a list of 20 tasks.
LIST_TARGETS = {"SQLite": 0.18, "PostgreSQL": 0.15}


@dataclass(frozen=True)
class Row:
    name: str
    # The least acceptable ratio of the requests per second to those of the bare handler; None without a target.
    target: float | None
    # Called with the tool (`oha`, an `oha.Limited` or `wrk`) and the seconds.
    measure: Callable


def rows_of(server: PopulatedServer) -> list[Row]:
    reader, writer = server.reader["access_token"], server.writer["access_token"]
    session_url, list_url = server.url("/api/auth/session"), server.url(tasks_path(server.reader))
    create_url, body = server.url(tasks_path(server.writer)), json.dumps(sample_task(0))
    return [
        Row(f"`GET` session, {server.engine}", 0.75,
            lambda tool, seconds: tool.send_requests(session_url, seconds, CONNECTIONS, token=reader)),
        Row(f"`GET` 20 tasks, {server.engine}", LIST_TARGETS[server.engine],
            lambda tool, seconds: tool.send_requests(list_url, seconds, CONNECTIONS, token=reader)),
        Row(f"`POST` a task, {server.engine}", None,
            lambda tool, seconds: tool.send_requests(
                create_url, seconds, CONNECTIONS, method="POST", token=writer, body=body)),
    ]


@dataclass
class Comparison:
    """Measurements by one tool: of each row, and of the bare handler before and after each row."""

    tool: object
    bare_handler_url: str
    rows: list[Row]
    measured: list[list] = field(default_factory=list)
    ratios: list[list[float]] = field(default_factory=list)
    bare_handler: list = field(default_factory=list)

    def measure_round(self, seconds: int) -> None:
        round_of_rows, round_of_bare_handler = [], [self.measure_bare_handler(seconds)]
        for row in self.rows:
            round_of_rows.append(row.measure(self.tool, seconds))
            round_of_bare_handler.append(self.measure_bare_handler(seconds))
        self.measured.append(round_of_rows)
        self.bare_handler += round_of_bare_handler
        self.ratios.append(ratios_to_neighbours([measurement.per_second for measurement in round_of_rows],
                                                [measurement.per_second for measurement in round_of_bare_handler]))

    def measure_bare_handler(self, seconds: int):
        return self.tool.send_requests(self.bare_handler_url, seconds, CONNECTIONS)


def print_tables(options, bare_handler, servers: list[PopulatedServer]) -> None:
    rows = [row for server in servers for row in rows_of(server)]
    by_oha, by_wrk = (Comparison(tool, bare_handler.url("/"), rows) for tool in (oha, wrk))
    for _ in range(options.rounds):
        by_oha.measure_round(options.seconds)
        by_wrk.measure_round(options.seconds)

    def cells(name, measurements, ratios, ratio_with_wrk, target=None):
        rate, p50, p99 = medians(measurements)
        cell = at_least(statistics.median(ratios), target, options.quick) if target else ""
        return [name, f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", spread(ratios, 3), ratio_with_wrk, cell]

    lines = [cells("bare actix handler", by_oha.bare_handler, [1.0], f"1 ({medians(by_wrk.bare_handler)[0]:.0f} req/s)")]
    for row, measurements, ratios, ratios_with_wrk in zip(
            rows, zip(*by_oha.measured), zip(*by_oha.ratios), zip(*by_wrk.ratios)):
        lines.append(cells(row.name, measurements, ratios, spread(ratios_with_wrk, 3), row.target))
    table(["row", "req/s", "p50 ms", "p99 ms", "ratio (lowest–highest)", "ratio with wrk", "target"], lines)
