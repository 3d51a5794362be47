"""Runs Prometheus with the configuration of docs/operating.md."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live import START_LIMIT, free_port, request, stop_process, wait_until
from markdown import blocks

# The variables that Grafana replaces in a query, and values for them.
VARIABLES = {"$__rate_interval": "20s", "$instance": ".*"}


def yaml_block(guide: str, text: str) -> str:
    """The block of the guide that contains this text."""
    found = [block.content for block in blocks(guide) if block.language == "yaml" and text in block.content]
    if len(found) != 1:
        raise SystemExit(f"docs/operating.md: {len(found)} blocks have {text}")
    return found[0]


def scrape_configuration(guide: str, ports: list[int]) -> str:
    """The configuration of the guide, changed to read these two ports each second."""
    configuration = yaml_block(guide, "scrape_configs:").replace("15s", "1s")
    for example, port in zip(["9464", "9465"], ports):
        configuration = configuration.replace(f"127.0.0.1:{example}", f"127.0.0.1:{port}")
    return configuration


def as_sent(query: str) -> str:
    """The query of a dashboard as Grafana sends it."""
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


@contextmanager
def prometheus(folder: Path, configuration: str) -> Iterator[str]:
    """Runs Prometheus during the block; yields its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (folder / "prometheus.yml").write_text(configuration)
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        if not wait_until(lambda: process.poll() is None and is_ready(url), START_LIMIT):
            raise SystemExit(f"Prometheus is not ready:\n{(folder / 'prometheus.log').read_text()}")
        yield url
    finally:
        stop_process(process)


def is_ready(url: str) -> bool:
    try:
        return request(f"{url}/-/ready")[0] == 200
    except OSError:
        return False
