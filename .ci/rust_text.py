"""Finds the parts of a Rust file that are not code: comments, strings and characters."""

import re

NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | (?<!\w)b?r(?P<hashes>\#*)".*?"(?P=hashes)
      | (?<!\w)[bc]?"(?:\\.|[^"\\])*"
      | (?<!\w)b?'(?:\\.[^'\n]*|[^'\\\n])'
    """,
    re.DOTALL | re.VERBOSE,
)


def blank(match: re.Match[str]) -> str:
    return " " + "\n" * match[0].count("\n")
