"""The floors of api-server: the order of its modules, checked against the imports in the code.

A module here is a folder of api-server/src, or a file that is in no folder. It imports only from modules on floors
below its own. So modules on one floor do not import each other, and there are no cycles.
"""

import re
from pathlib import Path
from typing import Iterator

SOURCE = Path("api-server/src")

# From the top down: what the modules of the floor do, and their names.
FLOORS = [
    ("entry point and commands", ["main", "command"]),
    ("builds and runs the server", ["server"]),
    ("settings; the table of all routes", ["config", "routes"]),
    ("OpenAPI document; import and export of users", ["openapi", "transfer"]),
    ("endpoints under /api/auth", ["auth"]),
    ("other endpoints", ["better_auth", "tasks", "pages", "health"]),
    ("what handlers share; connections and their time limits", ["http", "connections"]),
    ("register, log in, change the password: shared by both APIs", ["accounts"]),
    ("sessions, their tokens, their revocation", ["sessions"]),
    ("users and passwords", ["users"]),
    ("the database: the only module that knows two engines", ["db"]),
    ("the client of a request; limits", ["client", "limits"]),
    ("errors, time, CPU cores, log, network addresses, origins", ["problem", "clock", "cores", "logging", "network", "origin"]),
]
FLOOR = {module: len(FLOORS) - 1 - index for index, (_, modules) in enumerate(FLOORS) for module in modules}
# lib.rs only declares the modules.
ROOT = "lib"

PATH = re.compile(r"(?<![\w:$])((?:crate|super)(?:\s*::\s*super)*)\s*::\s*")
WORD = re.compile(r"\s*(?:r#)?(\w+|\*)")
INLINE_MODULE = re.compile(r"\bmod\s+\w+\s*\{")
REEXPORT = re.compile(r"\bpub(?:\([^)]*\))?\s+use\s+(?=crate\s*::|super\s*::\s*super)")


def module_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".rs")


def depth_of(path: Path) -> int:
    """The number of `super` from the file's module to the root of the crate."""
    parts = path.relative_to(SOURCE).parts
    return len(parts) - 1 if parts[-1] == "mod.rs" else len(parts)


def closing(code: str, opening: int) -> int:
    """The position that closes the brace which opens just before `opening`."""
    level = 1
    for index in range(opening, len(code)):
        level += {"{": 1, "}": -1}.get(code[index], 0)
        if level == 0:
            return index
    return len(code)


def inline_modules(code: str) -> list[tuple[int, int]]:
    return [(found.end(), closing(code, found.end())) for found in INLINE_MODULE.finditer(code)]


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
    """(position, module) of every path in the code to another module."""
    inline = inline_modules(code)
    for found in PATH.finditer(code):
        start, supers = found.start(), found[1].count("super")
        if supers:
            inside = sum(begin <= start < end for begin, end in inline)
            if supers < depth_of(path) + inside:
                continue
        for name in names_at(code, found.end()):
            if name != module_of(path):
                yield start, name


def violations(path: Path, code: str) -> Iterator[tuple[int, str, str]]:
    """(position, what, advice) of every import that is not from a floor below."""
    module = module_of(path)
    if module == ROOT:
        return
    if module not in FLOOR:
        yield 0, module, "has no floor; add it to .ci/floors.py"
        return
    for position, other in imports(path, code):
        if other not in FLOOR:
            yield position, other, "is no module of api-server/src; import it from the file that defines it"
        elif FLOOR[other] >= FLOOR[module]:
            yield position, other, f"is not below {module}; {module} imports only from floors below its own"
    for found in REEXPORT.finditer(code):
        yield found.start(), " ".join(found[0].split()), "re-exports another module's names; import them from that module"


def drawing() -> str:
    lines = []
    for index, (what, modules) in enumerate(FLOORS):
        lines.append(f"{len(FLOORS) - 1 - index:3}  {'  '.join(modules):50} {what}")
    return "\n".join(lines)
