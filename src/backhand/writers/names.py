"""How a quantity's name looks in print: a letter, an index, primes, a version.

    B1       B with the index 1          out_h1    out with the index h1
    x'       x prime                     w[A1,B1]  w with the index A1, B1
    c#1      c with (1) above it         W1[0,1]   W with the index 1, then [0,1]
    alpha    the letter                  λ2        λ with the index 2

`parts` takes a name apart. Two names can come out alike (B1 and B_1). A document must not set two
quantities alike, so its writer asks a `Names`: the first comer gets the fine form, and another name
that would look the same is set letter by letter, as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

NAME = re.compile(
    r"(?P<letters>(?:[^\W\d_][\u0300-\u036f]*)+) (?P<first_primes>['′]*)"
    r"(?P<tail> \d+(?:_\w+)* | (?:_\w+)+ | _\{[\w,]+\} )? (?P<primes>['′]*)"
    r"(?: \[(?P<inside>[^\[\]#]+)\] )? (?: \#(?P<version>\d+) )?",
    re.VERBOSE,
)
RUN = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+|\d+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parts:
    """A name taken apart. `index` holds what stands below, `element` what stands in brackets behind it."""

    letters: str
    index: tuple[Parts | str, ...] = ()
    primes: int = 0
    element: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A name set letter by letter, as it was typed."""

    text: str


def parts(name: str) -> Parts | Verbatim:
    """A name taken apart, Verbatim if it is not built like one.

    >>> parts("B1")
    Parts(letters='B', index=('1',), primes=0, element=(), version='')
    """
    found = NAME.fullmatch(name)
    if found is None:
        return Verbatim(name)
    below = tuple(piece for piece in re.split("[_,{}]", found["tail"] or "") if piece)
    inside = tuple(piece.strip() for piece in (found["inside"] or "").split(",") if piece.strip())
    return Parts(
        GREEK.get(found["letters"], found["letters"]),
        below or tuple(map(_inner, inside)),
        len(found["first_primes"] + found["primes"]),
        inside if below else (),
        found["version"] or "",
    )


def _inner(name: str) -> Parts | str:
    """An index that is itself a name (A1 in w[A1,B1]) keeps its own index."""
    found = parts(name)
    return found if isinstance(found, Parts) else name


def runs(text: str) -> list[str]:
    """Letters, digits and other characters apart: `h1` is h and 1."""
    return RUN.findall(text)


class Names:
    """The names of one document as its writer sets them, no two alike."""

    def __init__(self, setter: Callable[[Parts | Verbatim], str]) -> None:
        self._setter = setter
        self._set: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name in print, the same whenever it is asked for."""
        found = self._set.get(name)
        if found is None:
            found = self._setter(parts(name))
            if found in self._taken:
                found = self._setter(Verbatim(name))
            self._taken.add(found)
            self._set[name] = found
        return found
