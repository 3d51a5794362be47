"""Helpers that the checks share: command line, files of the repository, expectations, planted defects, programs."""

import inspect
import math
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


# ---- command line


def stop_on_sigterm() -> None:
    """Ends the script on SIGTERM as on Ctrl-C, so that it stops the programs that it has started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def accepts(check: Callable[..., object], arguments: list[str], options: Sequence[str]) -> bool:
    """Whether the check can be called with the arguments."""
    if any(argument.startswith("-") and argument not in options for argument in arguments):
        return False
    try:
        inspect.signature(check).bind(*arguments)
    except TypeError:
        return False
    return True


def run(check: Callable[..., object], self_test: Callable[[], int] | None = None, options: Sequence[str] = ()) -> None:
    """Calls `check` with the arguments of the command line, or `self_test` if the argument is `--self-test`.

    `self_test` returns how many planted defects it has found. `options` are the arguments with a leading `-` that
    `check` accepts. `--help`, or arguments that do not fit, print the documentation of the script.
    """
    stop_on_sigterm()
    arguments = sys.argv[1:]
    try:
        if self_test and arguments == ["--self-test"]:
            print(f"{self_test()} planted defects found")
        elif accepts(check, arguments, options):
            check(*arguments)
        elif arguments == ["--help"]:
            print(sys.modules["__main__"].__doc__)
        else:
            print(sys.modules["__main__"].__doc__, file=sys.stderr)
            sys.exit(2)
    except subprocess.CalledProcessError as failed:
        raise SystemExit(f"failed: {' '.join(map(str, failed.cmd))}") from failed
    except FileNotFoundError as error:
        program = str(error.filename)
        if "/" in program or shutil.which(program):
            raise
        raise SystemExit(f"the program `{program}` is missing; install it") from error


def exit_if_any(problems: Sequence[str]) -> None:
    """Prints the problems, if there are any, and exits with 1."""
    if problems:
        raise SystemExit("\n".join(problems))


# ---- files of the repository


def repository_files(root: Path, *patterns: str) -> list[Path]:
    """Lists the files that a clone with the uncommitted changes would have, relative to `root`. Git reads the patterns,
    so `*.md` matches in every folder. Fails if no file matches, because a check without files would succeed."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run([*command, "--", *patterns], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    files = {Path(name) for name in output.split("\0") if name and (root / name).is_file()}
    if not files:
        raise SystemExit(f"git lists no file {' '.join(patterns)} in {root}")
    return sorted(files)


def create_repository(folder: Path) -> None:
    """Makes the folder a Git repository of its own, so that `repository_files` can list its files."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)


# ---- expectations


def require_equal(label: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{label}: expected {expected!r}, got {found!r}")


def expect(label: str, found: object, expected: object) -> None:
    """Fails unless both values are equal. Prints the label if they are."""
    require_equal(label, found, expected)
    print(f"ok: {label}", flush=True)


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which this share of the values lies; the share is between 0 and 1. Without values, 0."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.floor(len(ordered) * share))] if ordered else 0


# ---- planted defects


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    """The file has this text during the block. A missing file is created, and deleted afterwards."""
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)


@contextmanager
def appended(file: Path, text: str) -> Iterator[None]:
    """The file ends with this text during the block. A missing file is created, and deleted afterwards."""
    before = file.read_text() if file.exists() else ""
    with replaced(file, before + text):
        yield


def require_reported(expected: str, problems: Iterable[str], planted: str) -> None:
    """Fails unless one of the problems contains `expected`. `planted` describes the defect."""
    found = list(problems)
    if not any(expected in problem for problem in found):
        raise SystemExit(f"`{expected}` is not reported for\n{planted}\nreported: {found}")


def require_failure(expected: str, check: Callable[[], object], planted: str) -> None:
    """Fails unless the check exits with a message that contains `expected`. `planted` describes the defect."""
    try:
        check()
    except SystemExit as failure:
        return require_reported(expected, [str(failure)], planted)
    raise SystemExit(f"accepted: {planted}")


# ---- programs


def shell(function: str, *arguments: object) -> str:
    """Calls a function of .ci/tools or .ci/postgres, and returns its standard output."""
    command = ["bash", "-euc", '. "$1"; shift; "$@"', "shell", ROOT / ".ci/postgres", function, *arguments]
    called = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if called.returncode:
        raise SystemExit(f"failed: {function} {' '.join(map(str, arguments))}")
    return called.stdout.removesuffix("\n")


def need(*names: str) -> None:
    """Installs the programs that are missing, as `need` of .ci/tools does."""
    shell("need", *names)


def run_inside_venv(package: str, *arguments: str) -> int:
    """Runs the script again with these arguments and `--inside`, in a new virtual environment with this package from
    PyPI; returns the exit status."""
    need("venv")
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
        return subprocess.run([python, sys.argv[0], *arguments, "--inside"]).returncode


def npm_ci(folder: Path) -> None:
    """Installs the Node packages of the folder's package-lock.json."""
    shell("npm_ci", folder)
