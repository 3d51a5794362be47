"""Measures logins: their rate, how a storm of them slows other requests, and how the time of a wrong password differs
between a known and an unknown email address."""

import asyncio
import http.client
import itertools
import multiprocessing
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass

from .login_storm import UNKNOWN_EMAILS, Storm, run_storm
from .populated import READER, WRITER
from .report import CORES, at_least, target_cell, percentile_ms, ratios_to_neighbours, spread, table
from .server import PASSWORD

BCRYPT_COST = 12
STORM_CLIENTS = 64
STORM_SECONDS = 20
# The number of logins with a wrong password, for each of the two compared addresses: a known and an unknown one.
SAMPLES = 40


def raw_rate(binary, seconds):
    """Measures bcrypt alone on every core, in hashes per second."""
    command = [binary, str(BCRYPT_COST), str(seconds)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def login_rate(server, email, seconds):
    """Measures logins per second and their durations, with twice as many callers as cores."""
    ends, durations, until = [], [], time.monotonic() + seconds

    def log_in_repeatedly():
        while (started := time.monotonic()) < until:
            server.expect(200, "POST", "/api/auth/login", {"email": email, "password": PASSWORD})
            ends.append(time.monotonic())
            durations.append(ends[-1] - started)

    callers = [threading.Thread(target=log_in_repeatedly) for _ in range(2 * CORES)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    ends.sort()
    # Logins end in batches of one per core. Counts from the end of the first batch to the end of the last but one.
    first, last = CORES - 1, len(ends) - 1 - CORES
    if last <= first:
        raise SystemExit("too few logins to compute a rate; measure longer")
    return (last - first) / (ends[last] - ends[first]), durations


def wrong_password_times(server, known):
    """The median times in ms of a wrong password for a known and an unknown email address, measured alternately."""
    times = {known: [], "no-account@load.example": []}
    for _ in range(SAMPLES):
        for email, durations in times.items():
            started = time.monotonic()
            server.expect(401, "POST", "/api/auth/login", {"email": email, "password": "wrong password"})
            durations.append(time.monotonic() - started)
    return [statistics.median(durations) * 1e3 for durations in times.values()]


def measure_session(host, token, seconds, results):
    """Sends at most a hundred `GET session` per second over one connection; puts their durations into `results`."""
    connection, durations = http.client.HTTPConnection(host), []
    until = time.monotonic() + seconds
    while (started := time.monotonic()) < until:
        connection.request("GET", "/api/auth/session", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise SystemExit(f"GET session responded with {response.status}")
        durations.append(time.monotonic() - started)
        time.sleep(max(0.0, started + 0.01 - time.monotonic()))
    results.put(durations)


def start_session_measurement(server, token, seconds):
    """Runs `measure_session` in another process. Returns a function that waits for its end and returns the
    durations."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=measure_session, args=(server.host, token, seconds, results))
    process.start()

    def collect():
        durations = results.get(timeout=seconds + 30)
        process.join()
        return durations

    return collect


@dataclass(frozen=True)
class StormResult:
    """Durations in seconds: of `GET session` before and during the storm, and of its logins by status. `memory` is the
    resident MiB, from before to after the storm."""

    before: list[float]
    during: list[float]
    logins: dict[int, list[float]]
    memory: list[float]


def storm_of_logins(server, emails):
    token = server.reader["access_token"]
    before = start_session_measurement(server, token, 5)()
    memory, until = [server.memory()], time.monotonic() + STORM_SECONDS

    def continues():
        memory.append(server.memory())
        return time.monotonic() < until

    collect_session = start_session_measurement(server, token, STORM_SECONDS)
    storm = Storm(server.host, emails, retry_delay=0, durations={})
    asyncio.run(run_storm(storm, ["127.0.0.1"] * STORM_CLIENTS, continues))
    return StormResult(before, collect_session(), storm.durations, [*memory, server.memory()])


def print_rates(options, bcrypt_rate, servers):
    seconds, rounds = (3, 1) if options.quick else (10, 3)
    raw_rates, lines = [], []
    for server in servers:
        rates, durations, compared = [], [], [raw_rate(bcrypt_rate, seconds)]
        for _ in range(rounds):
            rate, durations_of_round = login_rate(server, READER, seconds)
            compared.append(raw_rate(bcrypt_rate, seconds))
            rates.append(rate)
            durations += durations_of_round
        ratios = ratios_to_neighbours(rates, compared)
        lines.append([f"login, {server.engine}", f"{statistics.median(rates):.2f}",
                      f"{percentile_ms(durations, .5):.0f}", f"{percentile_ms(durations, .99):.0f}", spread(ratios, 3),
                      at_least(statistics.median(ratios), 0.95, options.quick)])
        raw_rates += compared
    table([f"logins at cost {BCRYPT_COST}", "a second", "p50 ms", "p99 ms", "ratio (lowest–highest)", "target"],
          [[f"raw bcrypt on {CORES} cores", f"{statistics.median(raw_rates):.2f}", "", "", "1", ""], *lines])


def print_storms(servers):
    """Measures storms with another email address per attempt, and with a single one."""
    lines = []
    for server in servers:
        for name, emails in [("many addresses", UNKNOWN_EMAILS), ("one address", itertools.repeat(WRITER))]:
            result = storm_of_logins(server, emails)
            memory, total = result.memory, sum(map(len, result.logins.values()))
            statuses = "; ".join(f"{status}: {len(durations)} ({len(durations) / total:.1%}), "
                                 f"p50 {percentile_ms(durations, .5):.1f}, p99 {percentile_ms(durations, .99):.1f} ms"
                                 for status, durations in sorted(result.logins.items()))
            p99 = percentile_ms(result.during, .99)
            lines.append([f"{name}, {server.engine}", f"{percentile_ms(result.before, .99):.2f} → {p99:.2f}", statuses,
                          f"{memory[0]:.1f} → {max(memory):.1f} → {memory[-1]:.1f}",
                          target_cell(p99, "p99 < 50 ms", lambda value: value < 50)])
            # Waits for the attempts that the server still hashes, although their clients have disconnected.
            time.sleep(10)
    table([f"login storm of {STORM_CLIENTS}", "session p99 ms before → during", "logins by status",
           "RSS MiB before → highest → after", "target"], lines)


def print_wrong_password_times(servers):
    lines = []
    for server in servers:
        known, unknown = wrong_password_times(server, READER)
        lines.append([server.engine, f"{known:.2f}", f"{unknown:.2f}", f"{unknown / known:.4f}"])
    table([f"wrong password (medians of {SAMPLES})", "known address ms", "unknown address ms", "ratio"], lines)


def print_tables(options, bcrypt_rate, servers):
    print_rates(options, bcrypt_rate, servers)
    if not options.quick:
        print_storms(servers)
        print_wrong_password_times(servers)
