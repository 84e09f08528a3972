"""Banks of exercises on disk: one file, or a folder with a file for each part of each exercise. All of it, or nothing.

    sheets/questions/01-ada-lovelace.pdf  answers/ solutions/ schemes/      for paper
    sheets/bank.json                                                       for `mark` and `set --check`
    sheets/recipe.toml                                                     what it was made from

A folder is written beside its place and moved there when it is whole; so a full disk or Ctrl-C leaves nothing half
done."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backhand import limits
from backhand.display import encoded, save
from backhand.errors import UsageError
from backhand.explaining.sheets import PARTS, Part, sheets
from backhand.setting.exercise import Bank, Exercise
from backhand.setting.finding import slug
from backhand.writers import QUIZZES, WRITERS, load

if TYPE_CHECKING:
    from backhand.explaining.document import Document

SHEETS = tuple(name for name, writer in WRITERS.items() if writer.takes == "document")
"""Formats of paper; those of QUIZZES are for other programs."""

FOLDERS: dict[Part, str] = {
    "question": "questions", "answer": "answers", "solution": "solutions", "scheme": "schemes",
}  # fmt: skip
BANK = "bank.json"

Told = Callable[[int, int], None]


def format_of(path: str) -> str:
    """The format that the suffix of a file stands for: .xml is Moodle's, .zip Canvas' QTI, .json a bank."""
    suffix = Path(path).suffix.lower()
    for name, quiz in QUIZZES.items():
        if quiz.suffix == suffix:
            return name
    for name in SHEETS:
        if suffix in WRITERS[name].suffixes:
            return name
    known = [quiz.suffix for quiz in QUIZZES.values()] + [s for name in SHEETS for s in WRITERS[name].suffixes]
    raise UsageError(
        f"{path} ends in {suffix or 'no suffix'}, which says no format.",
        cure=f"End it in {', '.join(dict.fromkeys(known))}, end it in / for a folder, or say --to.",
    )


def check_format(name: str) -> str:
    """The name, if it is one of a format. Raises UsageError with the known ones."""
    if name not in SHEETS and name not in QUIZZES:
        raise UsageError(f"There is no format {name}.", cure=f"Known: {', '.join((*SHEETS, *QUIZZES))}.")
    return name


# -- in one piece -------------------------------------------------------------------------------------------------


def content(bank: Bank, form: str, parts: Sequence[Part] = PARTS, **options: Any) -> Iterator[str] | Iterator[bytes]:
    """A whole bank as one file, in pieces. `options` are the writer's."""
    if form in QUIZZES:
        return iter([quiz(bank, form)])
    return _written(_document(bank.exercises, parts, form, bank.notes), form, **options)


def quiz(bank: Bank, form: str) -> bytes:
    """A whole bank for another program; with its recipe and notes where there is a place for them."""
    if form == "json":
        from backhand.writers import bank_json

        return bank_json.write(bank.exercises, title=bank.title, recipe=bank.text, notes=bank.notes)
    from backhand.writers import quiz as quiz_of

    return quiz_of(bank.exercises, form, title=bank.title)


def _document(exercises: Sequence[Exercise], parts: Sequence[Part], form: str, notes: Sequence[str]) -> Document:
    return sheets(exercises, parts, notes=notes, table=form != "ipynb")


def _written(document: Document, form: str, **options: Any) -> Iterator[str] | Iterator[bytes]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, 100 * limits.DEPTH))
    try:
        yield from load(form).write(document, **options)
    finally:
        sys.setrecursionlimit(usual)


# -- as a folder ----------------------------------------------------------------------------------------------------


def files(
    bank: Bank, form: str, parts: Sequence[Part] = PARTS, *, together: bool = False
) -> Iterator[tuple[str, Iterable[bytes]]]:  # fmt: skip
    """The files of a folder: their paths in it, and their contents. `together`: all exercises of a part in one file."""
    if form in QUIZZES:
        if form != "json":
            yield f"bank{QUIZZES[form].suffix}", [quiz(bank, form)]
    else:
        suffix = WRITERS[form].suffixes[0]
        for part in parts:
            groups = [bank.exercises] if together else [(one,) for one in bank.exercises]
            for group in groups:
                document = _document(group, (part,), form, bank.notes)
                place = f"{FOLDERS[part]}{suffix}" if together else f"{FOLDERS[part]}/{_stem(bank, group[0])}{suffix}"
                yield place, map(encoded, _written(document, form))
    yield BANK, [quiz(bank, "json")]
    yield ("recipe.toml" if "[exercise]" in bank.text else "network.bh"), [bank.text.encode("utf-8")]


def _stem(bank: Bank, exercise: Exercise) -> str:
    """`07-ada-lovelace`: numbers of one length, so that files stand in their order."""
    number = str(exercise.origin.number).zfill(len(str(len(bank.exercises))))
    student = exercise.origin.student
    return f"{number}-{slug(student)}".rstrip("-") if student else number


def write_folder(
    found: Iterable[tuple[str, Iterable[bytes]]],
    path: str | os.PathLike[str],
    told: Callable[[str], None] | None = None,
) -> None:
    """Write files into a new folder, whole or not at all. Raises UsageError where that cannot be."""
    target = Path(path)
    _refuse(target)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
        for name, chunks in found:
            place = temporary / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                file.writelines(chunks)
            if told is not None:
                told(name)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
        temporary = None
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _refuse(target: Path) -> None:
    """Nothing that is there is written over."""
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} is there already, and not empty.", cure="Name a new folder, or empty this one.")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file.", cure="Name a folder, or leave the / out.")


def write_file(bank: Bank, path: str, form: str, parts: Sequence[Part] = PARTS) -> None:
    """A whole bank as one file, which appears whole or not at all."""
    save(content(bank, form, parts), path)
