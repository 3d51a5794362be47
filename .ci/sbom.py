"""Checks that a CycloneDX document has every crate on standard input, with its version and its licence."""

import json
import sys
from pathlib import Path

document = json.loads(Path(sys.argv[1]).read_text())
own = document["metadata"]["component"]
components = {component["name"]: component for component in [own, *document["components"]]}
problems = [f"{name} is missing" for name in sys.stdin.read().split() if name not in components]
for name, component in components.items():
    if not component.get("version") or not component.get("licenses"):
        problems.append(f"{name} has no version or no licence")
if document["bomFormat"] != "CycloneDX" or problems:
    sys.exit("\n".join(problems) or "no CycloneDX document")
print(f"the SBOM has {len(components)} components")
