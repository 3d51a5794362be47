"""Reads the documents for the checks: their order, their fenced blocks, and the comments before blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The documents whose commands .ci/readme runs, in this order and in one session of bash.
READING_ORDER = [
    "README.md",
    "docs/api.md",
    "docs/browser-frontends.md",
    "docs/mobile-apps.md",
    "docs/rust-services.md",
    "docs/other-languages.md",
    "docs/security.md",
    "docs/operating.md",
    "docs/mails.md",
    "docs/moving-users.md",
    "docs/from-better-auth.md",
    "docs/performance.md",
    "clients/javascript/README.md",
]
COMMANDS = {"sh", "bash", "shell", "console"}
RECIPES = {"ts", "js", "python"}
MARKER = re.compile(r"<!--\s*(?P<family>ci|recipe):\s*(?P<kind>\S+)\s*(?P<argument>.*?)\s*-->\s*")
FENCE = re.compile(r"(?P<indent> *)```(?P<language>[\w-]*)(?P<attributes>.*)")


class Defect(Exception):
    """A mistake in a document, or a block that does not work as the document says."""


@dataclass(frozen=True)
class Marker:
    """`<!-- ci: KIND ARGUMENT -->`, or `<!-- recipe: NAME -->`, with the kind `recipe` and the name as argument."""

    kind: str
    argument: str


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is the line of its opening fence."""

    marker: Marker | None
    language: str
    attributes: str
    line: int
    content: str


def marker_in(line: str) -> Marker | None:
    found = MARKER.fullmatch(line.strip())
    if not found:
        return None
    if found["family"] == "recipe":
        return Marker("recipe", found["kind"])
    return Marker(found["kind"], found["argument"])


def blocks(text: str) -> Iterator[Block]:
    marker, fence, content, start = None, None, [], 0
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            if line.strip() == "```":
                yield Block(marker, fence["language"], fence["attributes"], start, "\n".join(content))
                marker, fence, content = None, None, []
            else:
                content.append(line.removeprefix(fence["indent"]))
        elif found := marker_in(line):
            marker = found
        elif fence := FENCE.fullmatch(line):
            start = number
        elif marker and line.strip():
            raise Defect(f"line {number}: `ci: {marker.kind}` must be directly before a block")
    if fence or marker:
        raise Defect("the last block or marker of the file is not complete")


def recipes(text: str) -> Iterator[tuple[str, Block]]:
    """The blocks with `<!-- recipe: NAME -->`, each with its name."""
    for block in blocks(text):
        if block.marker and block.marker.kind == "recipe":
            yield block.marker.argument, block


def documented_recipes(root: Path, languages: set[str]) -> dict[str, str]:
    """The recipes of all documents in these languages: their code by name."""
    texts = [(root / document).read_text() for document in READING_ORDER]
    return {name: block.content for text in texts for name, block in recipes(text) if block.language in languages}


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of blocks, with their line numbers."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if FENCE.fullmatch(line):
            inside = not inside
        elif not inside:
            yield number, line
