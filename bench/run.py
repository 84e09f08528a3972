"""Speed, measured against other libraries and against the sizes that were promised.

    python bench/run.py                      all, in a few minutes
    python bench/run.py cold propagation     some
    python bench/run.py --full               the largest sizes as well: a quarter of an hour or more

Each benchmark first checks that all contenders compute the same numbers, and stops with status 1 if they do not.
Times are never checked. Libraries that are not installed are skipped, with a word. docs/benchmarks.md explains them.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

from common import Different, machine  # noqa: E402 - found by the line above

NAMES = ["cold", "propagation", "arrays", "engines", "scalars", "size", "reading", "marking", "setting"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Benchmarks of Backhand.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--full", action="store_true", help="the largest sizes as well")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; known are {', '.join(NAMES)}")
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    status = 0
    for name in chosen.names or NAMES:
        try:
            importlib.import_module(name).main(full=chosen.full)
        except Different as error:
            print(f"  NOT THE SAME NUMBERS: {error}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
