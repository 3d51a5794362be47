"""Prints the results as Markdown, and the machine on which they were measured."""

import datetime
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from common import percentile

from .charts import chart_of, svg

CORES = len(os.sched_getaffinity(0))
MIB = 1 << 20


# The folder for the charts of the tables, or None.
chart_folder: Path | None = None


def table(header, rows):
    """Prints a Markdown table. Also draws its chart, if there is a chart for this table and a folder for charts."""
    if chart_folder and (chart := chart_of(header)):
        (chart_folder / f"{chart.name}.svg").write_text(svg(chart, header, rows))
    print()
    for row in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def target_cell(value: float, target: str, is_met: Callable[[float], bool], quick: bool = False) -> str:
    """The cell for the target; empty in a quick run, which is too short to compare its value with the target."""
    return "" if quick else f"{target}: {'met' if is_met(value) else '**missed**'}"


def at_least(value: float, target: float, quick: bool) -> str:
    """The cell for a target that the value must reach or exceed."""
    return target_cell(value, f"≥ {target}", lambda measured: measured >= target, quick)


def spread(values: Sequence[float], digits: int) -> str:
    """The median, with the lowest and the highest value."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def medians(measurements):
    """The medians of requests per second, and of the 50th and 99th percentile in ms."""
    return [statistics.median(getattr(measurement, name) for measurement in measurements)
            for name in ("per_second", "p50", "p99")]


def ratios_to_neighbours(values: Sequence[float], compared: Sequence[float]) -> list[float]:
    """Each value divided by the mean of the compared value just before it and the one just after it, so that a
    busy machine affects both. `compared` has one value more."""
    return [2 * value / (before + after) for value, before, after in zip(values, compared, compared[1:])]


def percentile_ms(durations: Sequence[float], share: float) -> float:
    """The percentile, in ms, of durations in seconds."""
    return percentile(durations, share) * 1e3


def print_machine(options) -> None:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / (1 << 20)
    rust = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    print(f"{datetime.date.today()}, {CORES} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, "
          f"Linux {platform.release()}, Rust {rust}; `benches/load{' --quick' if options.quick else ''}`; "
          f"load average at the start {os.getloadavg()[0]:.1f}", flush=True)
