"""Reads Rust files for the checks, without a parser."""

import re
from pathlib import Path

NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | (?<!\w)b?r(?P<hashes>\#*)".*?"(?P=hashes)
      | (?<!\w)[bc]?"(?:\\.|[^"\\])*"
      | (?<!\w)b?'(?:\\.[^'\n]*|[^'\\\n])'
    """,
    re.DOTALL | re.VERBOSE,
)


def code_of(text: str) -> str:
    """The text without comments, string literals and character literals; each line keeps its number."""
    return NOT_CODE.sub(lambda match: " " + "\n" * match[0].count("\n"), text)


def line_at(text: str, position: int) -> int:
    """The number of the line that contains this position."""
    return text.count("\n", 0, position) + 1


def closing_brace(code: str, start: int) -> int:
    """The position of the brace that closes the block whose content begins at `start`."""
    level = 1
    for index in range(start, len(code)):
        level += {"{": 1, "}": -1}.get(code[index], 0)
        if level == 0:
            return index
    return len(code)


def is_test(path: Path) -> bool:
    """Whether the file contains only code for tests; `path` is relative to the repository."""
    return "tests" in path.parts or path.name in {"tests.rs", "model.rs"} or path.parts[0] == "fuzz"
