"""Checks packaging/compose.yaml: each image has a tag, each service on which another one depends has a health check,
and each network is declared. The server has its required settings, no default for its secret, no published port, and a
Dockerfile that exists."""

import re
import sys
from pathlib import Path

import yaml

text = Path(sys.argv[1]).read_text()
services = yaml.safe_load(text)["services"]
problems = []
for name, service in services.items():
    if not re.search(r":[\w.-]+$", service.get("image", "build:1")):
        problems.append(f"{name}: the image has no tag")
    for needed in service.get("depends_on", {}):
        if "healthcheck" not in services.get(needed, {}):
            problems.append(f"{name}: depends on {needed}, which has no health check")
    problems += [f"{name}: {network} is unknown" for network in service["networks"] if network not in yaml.safe_load(text)["networks"]]
server = services["api-server"]
settings = server["environment"]
problems += [f"api-server: {name} is not set" for name in ("AUTH_SECRET", "DATABASE_URL", "PUBLIC_URL", "TRUSTED_PROXIES") if name not in settings]
if ":?" not in settings["AUTH_SECRET"]:
    problems.append("AUTH_SECRET has a default")
if "ports" in server:
    problems.append("api-server: its port is reachable without the proxy")
dockerfile = Path(sys.argv[1]).parent / server["build"]["context"] / server["build"]["dockerfile"]
if not dockerfile.is_file():
    problems.append(f"{dockerfile} does not exist")
if problems:
    sys.exit("\n".join(problems))
print(f"compose.yaml has the services {', '.join(services)}")
