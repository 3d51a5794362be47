"""Checks the floors of api-server: the order of its modules.

A module here is a folder of api-server/src, or a file directly in api-server/src. It imports only from modules on
floors below its own, so modules on one floor do not import each other, and there are no import cycles.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from rust_text import closing_brace

SOURCE = Path("api-server/src")

# From the highest floor to the lowest: a description of the floor, and its modules.
FLOORS = [
    ("entry point and commands", ["main", "command"]),
    ("builds and runs the server; checks the installation", ["server", "check"]),
    ("settings; the table of all routes", ["config", "routes"]),
    ("OpenAPI document; import and export of users; backups", ["openapi", "transfer", "backup"]),
    ("endpoints under /api/auth", ["auth"]),
    ("other endpoints", ["better_auth", "tasks", "pages", "well_known", "health", "scrape"]),
    ("code that handlers share; connections and their time limits", ["http", "connections"]),
    ("register, log in, change the password: shared by both APIs", ["accounts"]),
    ("sessions, their tokens, their revocation", ["sessions"]),
    ("mails: their texts, and how they are sent", ["mail"]),
    ("users and passwords", ["users"]),
    ("the database: the only module that knows two engines", ["db"]),
    ("the client of a request; limits; new files; the client of health checks", ["client", "limits", "new_file", "probe"]),
    ("errors, time, CPU cores, log, metrics, network addresses, origins, progress of commands",
     ["problem", "clock", "cores", "logging", "metrics", "network", "origin", "progress"]),
]
FLOOR_OF = {module: len(FLOORS) - 1 - index for index, (_, modules) in enumerate(FLOORS) for module in modules}
# lib.rs only declares the modules.
CRATE_ROOT = "lib"

PATH = re.compile(r"(?<![\w:$])((?:crate|super)(?:\s*::\s*super)*)\s*::\s*")
WORD = re.compile(r"\s*(?:r#)?(\w+|\*)")
INLINE_MODULE = re.compile(r"\bmod\s+\w+\s*\{")
REEXPORT = re.compile(r"\bpub(?:\([^)]*\))?\s+use\s+(?=crate\s*::|super\s*::\s*super)")


def module_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".rs")


def depth_of(path: Path) -> int:
    """The number of `super` from the file's module to the root of the crate."""
    parts = path.relative_to(SOURCE).parts
    return len(parts) - 1 if parts[-1] == "mod.rs" else len(parts)


def inline_modules(code: str) -> list[range]:
    """The positions inside each `mod name { … }`."""
    return [range(found.end(), closing_brace(code, found.end())) for found in INLINE_MODULE.finditer(code)]


def names_at(code: str, position: int) -> Iterator[str]:
    """The first segment of the path, or of each path of the group in braces, that begins at `position`."""
    if not code[position:].lstrip().startswith("{"):
        if found := WORD.match(code, position):
            yield found[1]
        return
    position = code.index("{", position) + 1
    level, expects_name = 1, True
    while position < len(code) and level:
        character = code[position]
        if expects_name and level == 1 and (found := WORD.match(code, position)):
            yield found[1]
            expects_name, position = False, found.end()
            continue
        level += {"{": 1, "}": -1}.get(character, 0)
        expects_name = expects_name or (character == "," and level == 1)
        position += 1


def imports(path: Path, code: str) -> Iterator[tuple[int, str]]:
    """Every path in the code that leads to another module: its position, and the name of that module."""
    inline = inline_modules(code)
    for found in PATH.finditer(code):
        start, supers = found.start(), found[1].count("super")
        if supers:
            inline_depth = sum(start in positions for positions in inline)
            if supers < depth_of(path) + inline_depth:
                continue
        for name in names_at(code, found.end()):
            if name != module_of(path):
                yield start, name


def violations(path: Path, code: str) -> Iterator[tuple[int, str, str]]:
    """Every import or re-export that breaks a rule, or the module if it has no floor: position, name, and rule."""
    module = module_of(path)
    if module == CRATE_ROOT:
        return
    if module not in FLOOR_OF:
        yield 0, module, "has no floor; add it to .ci/floors.py"
        return
    for position, other in imports(path, code):
        if other not in FLOOR_OF:
            yield position, other, "is not a module of api-server/src; import it from the file that defines it"
        elif FLOOR_OF[other] >= FLOOR_OF[module]:
            yield position, other, f"is not below {module}; {module} imports only from floors below its own"
    for found in REEXPORT.finditer(code):
        text = " ".join(found[0].split())
        yield found.start(), text, "re-exports another module's names; import them from that module"


def drawing() -> str:
    """The floors with their numbers, one per line."""
    lines = []
    for index, (description, modules) in enumerate(FLOORS):
        lines.append(f"{len(FLOORS) - 1 - index:3}  {'  '.join(modules):50} {description}")
    return "\n".join(lines)
