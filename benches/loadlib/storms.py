"""Measures how long a login with the right password waits during login storms from other networks."""

import asyncio
import http.client
import json
import threading
import time

from .databases import new_databases
from .login_storm import UNKNOWN_EMAILS, Storm, run_storm
from .logins import BCRYPT_COST
from .report import target_cell, percentile_ms, table
from .server import PASSWORD, ApiServer

EMAIL = "honest@load.example"
# Seconds until a client of a storm tries again after a response other than 401.
RETRY_DELAY = 0.2
# The storms: the number of networks, and of the connections from each.
STORMS = [(0, 0), (1, 100), (50, 30)]


class ProxiedServer(ApiServer):
    """An api-server that trusts X-Forwarded-For, so that one machine can simulate many networks, and that does not
    limit the failed logins of a network."""

    def __init__(self, binary, database_url, folder):
        super().__init__(binary, database_url, folder, TRUSTED_PROXIES="127.0.0.1", MAX_FAILED_LOGINS_PER_NETWORK="off")
        # The account may exist already: several servers use the same database, one after the other.
        status, text = self.request("POST", "/api/auth/register", {"email": EMAIL, "password": PASSWORD})
        if status not in (201, 409):
            raise SystemExit(f"register: {status}: {text.decode()}")


def log_in(server, network):
    """Logs in with the right password from this network; returns the status and the seconds."""
    connection = http.client.HTTPConnection(server.host, timeout=120)
    started = time.monotonic()
    connection.request("POST", "/api/auth/login", json.dumps({"email": EMAIL, "password": PASSWORD}),
                       {"Content-Type": "application/json", "X-Forwarded-For": network})
    status = connection.getresponse().status
    connection.close()
    return status, time.monotonic() - started


def measure(server, networks, connections, logins, settle_seconds):
    """Starts a storm and, after `settle_seconds`, logs in with the right password, one login after the other. Returns
    the status and the seconds of each login, the durations of the storm's logins by status, and resident MiB."""
    is_over = threading.Event()
    storm = Storm(server.host, UNKNOWN_EMAILS, RETRY_DELAY, durations={})
    clients = [f"198.18.{number % networks}.1" for number in range(networks * connections)]
    thread = threading.Thread(target=lambda: asyncio.run(run_storm(storm, clients, lambda: not is_over.is_set())))
    thread.start()
    time.sleep(settle_seconds)
    honest = [log_in(server, f"203.0.113.{number}") for number in range(logins)]
    memory = server.memory()
    is_over.set()
    thread.join()
    return honest, storm.durations, memory


def print_tables(options, binary, folder):
    logins, settle_seconds = (3, 1) if options.quick else (30, 5)
    lines = []
    with new_databases(folder / "storms") as databases:
        for database in databases:
            for networks, connections in STORMS:
                with ProxiedServer(binary, database.url, folder) as server:
                    honest, storm, memory = measure(server, networks, connections, logins, settle_seconds)
                durations = [seconds for _, seconds in honest]
                succeeded = sum(status == 200 for status, _ in honest)
                statuses = "; ".join(f"{status}: {len(logins)}" for status, logins in sorted(storm.items()))
                lines.append([f"{networks} networks of {connections} connections, {database.engine}",
                              f"{succeeded} of {len(honest)}", f"{percentile_ms(durations, .5):.0f}",
                              f"{max(durations) * 1e3:.0f}", statuses, f"{memory:.1f}",
                              target_cell(succeeded, "all", lambda value: value == len(honest))])
    table([f"honest logins during storms, cost {BCRYPT_COST}", "succeeded", "p50 ms", "longest ms", "storm by status",
           "RSS MiB", "target"], lines)
