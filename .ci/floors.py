"""The floors of api-server: which folder stands on which, computed from the imports in the code.

A room is a folder, or a file beside the folders, of api-server/src. A room imports only from rooms on floors below its
own, so no two rooms import each other and there is no circle.
"""

import re
from pathlib import Path
from typing import Iterator

SOURCE = Path("api-server/src")

# From the top down. Rooms on one floor do not know each other.
FLOORS = [
    ("a command is run", ["main", "command"]),
    ("the server is built and runs", ["server"]),
    ("settings in; the table of contents", ["config", "routes"]),
    ("the description of the API; users in and out", ["openapi", "transfer"]),
    ("addresses under /api/auth", ["auth"]),
    ("other addresses", ["better_auth", "tasks", "pages", "health"]),
    ("what handlers share; connections and their time limits", ["http", "connections"]),
    ("what a person does with an account", ["accounts"]),
    ("sessions, their tokens and their end", ["sessions"]),
    ("users and passwords", ["users"]),
    ("the only place that knows two engines", ["db"]),
    ("who sends a request, what is bounded", ["client", "limits"]),
    ("errors, time, the log, addresses of networks and pages", ["problem", "clock", "cores", "logging", "network", "origin"]),
]
FLOOR = {room: len(FLOORS) - 1 - index for index, (_, rooms) in enumerate(FLOORS) for room in rooms}
# lib.rs only lists the rooms.
ROOT = "lib"

PATH = re.compile(r"(?<![\w:$])((?:crate|super)(?:\s*::\s*super)*)\s*::\s*")
WORD = re.compile(r"\s*(?:r#)?(\w+|\*)")
INLINE_MODULE = re.compile(r"\bmod\s+\w+\s*\{")
REEXPORT = re.compile(r"\bpub(?:\([^)]*\))?\s+use\s+(?=crate\s*::|super\s*::\s*super)")


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".rs")


def depth_of(path: Path) -> int:
    """How many `super` lead from the file's module to the root of the crate."""
    parts = path.relative_to(SOURCE).parts
    return len(parts) - 1 if parts[-1] == "mod.rs" else len(parts)


def closing(code: str, opening: int) -> int:
    """Where the brace that opens before `opening` closes."""
    level = 1
    for index in range(opening, len(code)):
        level += {"{": 1, "}": -1}.get(code[index], 0)
        if level == 0:
            return index
    return len(code)


def inline_modules(code: str) -> list[tuple[int, int]]:
    return [(found.end(), closing(code, found.end())) for found in INLINE_MODULE.finditer(code)]


def names_at(code: str, position: int) -> Iterator[str]:
    """The first names of the path, or of the tree in braces, that begins here."""
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
    """(position, room) of every path in the code that leads to another room."""
    modules = inline_modules(code)
    for found in PATH.finditer(code):
        start, supers = found.start(), found[1].count("super")
        if supers:
            inside = sum(begin <= start < end for begin, end in modules)
            if supers < depth_of(path) + inside:
                continue
        for name in names_at(code, found.end()):
            if name != room_of(path):
                yield start, name


def breaches(path: Path, code: str) -> Iterator[tuple[int, str, str]]:
    """(position, what, advice) of every import that does not lead down."""
    room = room_of(path)
    if room == ROOT:
        return
    if room not in FLOOR:
        yield 0, room, "stands on no floor; give it one in .ci/floors.py"
        return
    for position, other in imports(path, code):
        if other not in FLOOR:
            yield position, other, "is no room; import it from the file that defines it"
        elif FLOOR[other] >= FLOOR[room]:
            yield position, other, f"is not below {room}; {room} imports only from floors below its own"
    for found in REEXPORT.finditer(code):
        yield found.start(), " ".join(found[0].split()), "shows another room's names as its own; import them from there"


def drawing() -> str:
    lines = []
    for index, (what, rooms) in enumerate(FLOORS):
        lines.append(f"{len(FLOORS) - 1 - index:3}  {'  '.join(rooms):40} {what}")
    return "\n".join(lines)
