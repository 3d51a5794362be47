"""Measures how long the server takes to start, its memory when idle, the size of the program, and a cold build."""

import os
import statistics
import subprocess
import tempfile
import time

from common import ROOT

from .report import MIB, target_cell, table
from .server import ApiServer


def cold_build_minutes() -> float:
    with tempfile.TemporaryDirectory() as empty:
        started = time.monotonic()
        subprocess.run(["cargo", "build", "--locked", "--release"], cwd=ROOT, check=True,
                       env=os.environ | {"CARGO_TARGET_DIR": empty})
        return (time.monotonic() - started) / 60


def print_tables(options, binary, servers) -> None:
    """Stops each server, and starts others on its database."""
    def row(name, value, text, target, limit):
        return [name, text, target_cell(value, target, lambda measured: measured <= limit, options.quick)]

    lines = []
    for stopped in servers:
        stopped.stop()
        starts = []
        for _ in range(2 if options.quick else 11):
            with ApiServer(binary, stopped.database.url, stopped.folder) as server:
                starts.append(server.ready_after * 1e3)
                time.sleep(1)
                idle = server.memory()
        median = statistics.median(starts)
        lines.append(row(f"ready on a migrated database, {stopped.engine}", median,
                         f"{median:.0f} ms (at most {max(starts):.0f})", "≤ 150 ms", 150))
        lines.append(row(f"idle RSS, {stopped.engine}", idle * MIB, f"{idle:.1f} MiB", "≤ 16 MB", 16e6))
    size = binary.stat().st_size
    lines.append(row("release binary, stripped", size, f"{size / 1e6:.1f} MB", "≤ 20 MB", 20e6))
    if options.cold_build:
        minutes = cold_build_minutes()
        lines.append(row("cold `cargo build --release`", minutes, f"{minutes:.1f} min", "≤ 4 min", 4))
    table(["figure", "value", "target"], lines)
