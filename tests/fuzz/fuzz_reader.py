"""Coverage-guided fuzzing of the reader of networks, and of solving and writing what it reads.

    python tests/fuzz/fuzz_reader.py -max_total_time=60        or FUZZ_SECONDS=60 in the environment

Starts from the examples, changes them to reach code that no input has reached yet, and stops at the first
input that raises anything but one of our errors. That input is left in a file `crash-...`, which the next
run takes as its only argument to repeat it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SECONDS = os.environ.get("FUZZ_SECONDS", "60")
LONGEST = 4_000


def one_input(data: bytes) -> None:
    """Read, print, read again, solve and write; only our errors may come out, each with a place in the text."""
    from backhand.display import formatted
    from backhand.errors import BackhandError, CheckError, SeveralErrors
    from backhand.readers import decode, read_text
    from backhand.solving.solve import solve

    try:
        text = decode(data, "net.bh")
        graph = read_text(text, "net.bh")
    except CheckError:
        raise
    except BackhandError as refused:
        for error in refused.errors if isinstance(refused, SeveralErrors) else (refused,):
            assert error.what
            assert error.span is None or 0 <= error.span.start <= len(error.span.source.text)
            assert str(error)
        return
    assert read_text(str(graph), "printed.bh") == graph
    try:
        solution = solve(graph)
    except CheckError:
        raise
    except BackhandError:
        return
    for format_ in ("json", "text"):
        for _ in formatted(solution, format_):
            pass


def arguments(argv: list[str], corpus: str) -> list[str]:
    """libFuzzer's arguments: what was asked for, and a limit of time and a corpus where none was."""
    made = [*argv]
    if not any(each.startswith("-max_total_time=") for each in argv):
        made.append(f"-max_total_time={SECONDS}")
    if not any(each.startswith("-max_len=") for each in argv):
        made.append(f"-max_len={LONGEST}")
    return made if any(not each.startswith("-") for each in argv[1:]) else [*made, corpus]


def main() -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("Fuzzing needs atheris; `make nightly` installs it.")
    with atheris.instrument_imports(include=["backhand"]):
        import backhand.core.notation
        import backhand.display
        import backhand.readers.bh
        import backhand.solving.solve  # noqa: F401 - imported here so that their branches are counted
    with tempfile.TemporaryDirectory() as corpus:
        for path in sorted(EXAMPLES.glob("*.bh")):
            Path(corpus, path.name).write_bytes(path.read_bytes())
        atheris.Setup(arguments(sys.argv, corpus), one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
