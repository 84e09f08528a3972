"""Everything that can go wrong, as a tree of exceptions.

    BackhandError           any of the below; carries `what`, `span` and `cure` as fields
      ReadError             a text is not in the notation, or does not make a network
      UndefinedError        the mathematics has no value there: 1/0, ln 0, sqrt of a negative number
      LimitError            an input is larger than the limits that keep an answer quick
      UsageError            a wrong name, option or argument
      CheckError            a second method found other numbers: a mistake of ours, please report it
      SeveralErrors         the errors of a file at once; `errors` lists them

Each says what was found, where, what was expected and how to mend it, in one sentence and a
caret line. To add one, derive it here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable

from backhand import limits
from backhand.text import Span


class BackhandError(Exception):
    """`what` was found, at `span`, and the `cure`; `str()` is the whole message with its caret line."""

    def __init__(self, what: str, span: Span | None = None, *, cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.span = span
        self.cure = cure

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.cure}".strip()

    def __str__(self) -> str:
        if self.span is None:
            return self.sentence
        return f"{self.span}: {self.sentence}\n{self.span.excerpt()}"


class ReadError(BackhandError):
    """The text is not in the notation, or its lines do not make a network."""


class UndefinedError(BackhandError):
    """The value or derivative does not exist at these numbers."""


class LimitError(BackhandError):
    """Past one of the limits of `backhand.limits`."""


class UsageError(BackhandError):
    """The call or command line asks for something that is not there."""


class CheckError(BackhandError):
    """Two methods disagree. The fault is Backhand's, not the reader's."""


class SeveralErrors(BackhandError):
    """The errors of one file, in the order of their places; the first `limits.ERRORS` of them."""

    def __init__(self, errors: Iterable[BackhandError]) -> None:
        found = sorted(errors, key=lambda error: error.span.start if error.span else -1)
        self.errors = tuple(found[: limits.ERRORS])
        super().__init__("; ".join(error.what for error in self.errors), self.errors[0].span)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: list[BackhandError]) -> None:
    """Raise what was collected: nothing, the one error, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SeveralErrors(errors)
