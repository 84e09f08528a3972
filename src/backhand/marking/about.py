"""What a claim can be about: the value of a quantity, a derivative, or a local derivative.

Value("B1")  ·  Derivative("L", "B1")  ·  Local("C1", "B1")      B1  ·  dL/dB1  ·  dC1/dB1 with all else held fixed
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias


class Value(NamedTuple):
    """The value of a quantity."""

    name: str
    what: Literal["value"] = "value"

    def __str__(self) -> str:
        return self.name


class Derivative(NamedTuple):
    """The whole derivative of one quantity by another, over all ways."""

    of: str
    by: str
    what: Literal["derivative"] = "derivative"

    def __str__(self) -> str:
        return f"d{self.of}/d{self.by}"


class Local(NamedTuple):
    """The derivative of a quantity by one in its own formula, the others held fixed."""

    child: str
    parent: str
    what: Literal["local"] = "local"

    def __str__(self) -> str:
        return f"d{self.child}/d{self.parent}"


About: TypeAlias = Value | Derivative | Local
