"""Measures how long requests take below saturation: at a fixed rate of 0.7 of the highest."""

import statistics

from . import oha
from .populated import PopulatedServer
from .report import spread, table, target_cell
from .rows import CONNECTIONS, rows_of

SHARE_OF_SATURATION = 0.7
# The longest 99th percentile, in ms.
TARGET_MS = 3


def print_tables(options, servers: list[PopulatedServer]) -> None:
    """In each round, measures the highest rate of a row, and then its durations at a share of that rate."""
    lines = []
    for server in servers:
        for row in rows_of(server):
            rates, measured = [], []
            for _ in range(options.rounds):
                rates.append(SHARE_OF_SATURATION * row.measure(oha, options.seconds).per_second)
                measured.append(row.measure(oha.Limited(rates[-1]), options.seconds))
            p99 = [measurement.p99 for measurement in measured]
            reached = statistics.median(measurement.per_second for measurement in measured)
            lines.append([row.name, f"{statistics.median(rates):.0f}", f"{reached:.0f}",
                          f"{statistics.median(measurement.p50 for measurement in measured):.2f}", spread(p99, 2),
                          target_cell(statistics.median(p99), f"p99 ≤ {TARGET_MS} ms",
                                      lambda value: value <= TARGET_MS, options.quick)])
    table([f"{SHARE_OF_SATURATION} of saturation, {CONNECTIONS} connections", "req/s wanted", "req/s reached", "p50 ms",
           "p99 ms (lowest–highest)", "target"], lines)
