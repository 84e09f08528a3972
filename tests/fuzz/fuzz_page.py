"""Coverage-guided fuzzing of the reader of answers, and of marking and reporting what it reads.

    python tests/fuzz/fuzz_page.py -max_total_time=60        or FUZZ_SECONDS=60 in the environment

Starts from the pages in tests/pages and tests/reading. Nothing on a page may raise anything; every claim stands inside
the page; whatever was judged is shown in the terminal's report and in the JSON. An input that breaks this is left in a
file `crash-...`, which the next run takes as its only argument to repeat it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
SECONDS = os.environ.get("FUZZ_SECONDS", "60")
LONGEST = 2_000
NETS = (
    (TESTS.parent / "examples" / "q3.bh").read_text("utf-8"),
    "x = 2\nw = -0.5\nb = ?\ntarget t = 1\nz = w x + b\nh = sigmoid(z)\nL = 1/2 (h - t)^2",
)


@cache
def graphs() -> list[Any]:
    from backhand.readers import read

    return [read(net) for net in NETS]


def one_input(data: bytes) -> None:
    """Read, mark, report."""
    from backhand.display import formatted
    from backhand.errors import ReadError
    from backhand.marking.mark import mark
    from backhand.readers.answer import decoded
    from backhand.readers.page import read_work
    from backhand.text import Source

    try:
        text, _ = decoded(data, "page.md")
    except ReadError:
        return
    work = read_work([Source(text, "page.md")])
    for graph in graphs():
        marking = mark(work, graph)
        for judgement in marking.judgements:
            assert judgement.span is None or 0 <= judgement.span.start <= judgement.span.end <= len(text)
        assert 0 <= marking.marks.earned <= marking.marks.out_of
        said = json.loads("".join(formatted(marking, "json")))
        assert len(said["judgements"]) == len(marking.judgements)
        assert "".join(formatted(marking, "text"))


def pages(folder: Path) -> None:
    """What fuzzing starts from: the answers of all hand-made pages, each in a file."""
    for number, path in enumerate(sorted(TESTS.glob("pages/*/*.md"))):
        found = re.search(r"^~~~~\n(.*?)^~~~~", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        if found:
            (folder / f"{number}.md").write_text(found[1], "utf-8")
    for path in sorted(TESTS.glob("reading/*.md")):
        (folder / path.name).write_bytes(path.read_bytes())


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
        import backhand.display
        import backhand.marking.mark
        import backhand.readers.answer  # noqa: F401 - imported here so that their branches are counted
    with tempfile.TemporaryDirectory() as corpus:
        pages(Path(corpus))
        atheris.Setup(arguments(sys.argv, corpus), one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
