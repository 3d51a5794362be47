"""Runs the servers that are measured, and sends them requests."""

import http.client
import json
import os
import re
import subprocess
import time
from pathlib import Path

from live import START_LIMIT, free_port, stop_process, wait_until

PASSWORD = "correct horse battery staple"
SECRET = "a7Kq0vXw2mTzR9bLs4NcYp6EhGd8JfUu"


class Process:
    """A server process, which is stopped at the end of a `with` block. `host` is its address and port."""

    def __init__(self, command, host, **options):
        self.host = host
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        stop_process(self.process)

    def url(self, path):
        return f"http://{self.host}{path}"

    def responds(self, path):
        """Whether a GET responds with 200."""
        try:
            return self.request("GET", path)[0] == 200
        except OSError:
            return False

    def wait_for(self, path):
        """Waits until a GET responds with 200; returns the seconds since the start of the process."""
        # The pause between two attempts is short, because the time until the response is measured.
        wait_until(lambda: self.process.poll() is not None or self.responds(path), START_LIMIT, pause=0.001)
        seconds = time.monotonic() - self.started
        if not self.responds(path):
            raise SystemExit(f"{self.process.args[0]} does not respond with 200 on {path}")
        return seconds

    def request(self, method, path, body=None, token=None):
        """Returns the status and the body of the response."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def processor_seconds(self):
        """The processor time of the process and of the processes that it has started."""
        pids, seconds = [self.process.pid], 0
        for pid in pids:
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            user_ticks, system_ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
            seconds += (int(user_ticks) + int(system_ticks)) / os.sysconf("SC_CLK_TCK")
        return seconds

    def memory(self):
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def free_host():
    return f"127.0.0.1:{free_port()}"


def baseline(binary):
    """Runs the bare handler, api-server/examples/baseline.rs."""
    host = free_host()
    process = Process([binary, host], host)
    process.wait_for("/")
    return process


class ApiServer(Process):
    """An api-server with default settings, except its address, database, secret, token lifetime and task limit.
    `settings` are further exceptions."""

    def __init__(self, binary, database_url, folder, **settings):
        host = free_host()
        environment = {"PATH": os.environ["PATH"], "BIND_ADDR": host, "DATABASE_URL": database_url,
                       "AUTH_SECRET": SECRET, "ACCESS_TOKEN_TTL": "1d",
                       "MAX_TASKS_PER_USER": "1000000", **settings}
        # Runs in `folder`, because the server would read a .env in the current directory.
        super().__init__([binary], host, env=environment, cwd=folder)
        self.ready_after = self.wait_for("/readyz")

    def expect(self, status, method, path, body=None, token=None):
        """Sends a request, and returns the JSON of the response. Fails if the status is another one."""
        found, text = self.request(method, path, body, token)
        if found != status:
            raise SystemExit(f"{method} {path}: {found} instead of {status}: {text.decode()}")
        return json.loads(text)

    def register(self, email):
        return self.expect(201, "POST", "/api/auth/register", {"email": email, "password": PASSWORD})
