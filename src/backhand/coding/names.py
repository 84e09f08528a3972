"""Names of a network as names of a program: one rule for all languages, and no two alike.

    w[A1,B1]  w_A1_B1        x'  x_prime        α2  alpha2        ŷ  y_hat        c#1  c_1        lambda  lambda_

A name in a program has ASCII letters, digits and _, whatever the name in the network is made of: so
nothing that somebody writes in a network can become anything else than a name. What a language, its
standard functions or our own lines call something else gets a _ behind it, and of two names that
come out alike the second gets a number. A name that can stay as it is, does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 40
"""Characters of a name in a program; longer ones are cut, and stay apart by their numbers."""

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "ς": "sigma", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "ϑ": "theta", "ϕ": "phi", "ϵ": "epsilon", "ϱ": "rho", "ϖ": "pi",
}  # fmt: skip
PRIMES = "'′"
ACCENTS = {"\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "\u0307": "_dot"}
"""Marks over a letter that make another quantity of it; ŷ is not y. Others, as in é, are left out."""

PYTHON_WORDS = frozenset(
    """False None True and as assert async await break class continue def del elif else except finally for from global
    if import in is lambda nonlocal not or pass raise return try while with yield match case type
    abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex
    copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals
    hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next
    object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum
    super tuple vars zip""".split()
)
C_WORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    asm typeof alignas alignof bool constexpr false nullptr static_assert thread_local true noreturn generic
    main printf snprintf strtod size_t
    acos asin atan atan2 ceil cos cosh erf erfc exp expm1 fabs floor fmax fmin fmod log log10 log1p log2 pow sin sinh
    sqrt tan tanh
    EOF NULL NAN INFINITY HUGE_VAL HUGE_VALF HUGE_VALL BUFSIZ FILENAME_MAX FOPEN_MAX L_tmpnam L_ctermid P_tmpdir
    SEEK_SET SEEK_CUR SEEK_END TMP_MAX RAND_MAX EXIT_SUCCESS EXIT_FAILURE MB_CUR_MAX stdin stdout stderr errno
    MATH_ERRNO MATH_ERREXCEPT math_errhandling FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL FP_ILOGB0
    FP_ILOGBNAN DOMAIN SING OVERFLOW UNDERFLOW TLOSS PLOSS HUGE X_TLOSS BYTE_ORDER BIG_ENDIAN LITTLE_ENDIAN PDP_ENDIAN
    FD_SETSIZE NFDBITS WNOHANG WUNTRACED WSTOPPED WEXITED WCONTINUED WNOWAIT
    M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2
    linux unix i386 isnan isinf isfinite isnormal signbit fpclassify""".split()
)
OUR_WORDS = frozenset("forward backward main show check given derivatives np jnp jax torch math F Path ARRAYS".split())
"""What our own lines are called, besides the functions of `coding.helpers`."""


def legal(name: str) -> str:
    """The name in letters, digits and _; not yet apart from other names.

    >>> [legal(name) for name in ("w[A1,B1]", "x''", "α_{12}", "c#1", "2x", "é", "λ", "ŷ1")]
    ['w_A1_B1', 'x_prime2', 'alpha_12', 'c_1', 'n2x', 'e', 'lambda', 'y_hat1']
    """
    if not (name.isascii() and name.isidentifier()):
        name = _spelled(name[: 4 * LONGEST])
    if not name[:1].isalpha():
        name = "n" + name
    return name if len(name) <= LONGEST else name[:LONGEST].rstrip("_")


def _spelled(name: str) -> str:
    """Letters that ASCII lacks by what they are called, all else as _."""
    name = re.sub(f"[{PRIMES}]+", lambda found: "_prime" + (str(len(found[0])) if len(found[0]) > 1 else ""), name)
    letters: list[str] = []
    for letter in name:
        greek = GREEK.get(letter.lower())
        if greek is not None:
            letters.append(greek if letter.islower() else greek.capitalize())
            continue
        plain = "".join(ACCENTS.get(c, c if c.isascii() else "") for c in unicodedata.normalize("NFKD", letter))
        if plain:
            letters.append(plain)
        elif letter.isalnum():
            letters.append(f"u{ord(letter):04X}")
        else:
            letters.append("_")
    joined = re.sub(r"[^A-Za-z0-9]+", "_", "".join(letters))
    return joined.rstrip("_") or "n"


class Names:
    """The names of one program. The same name asked for again is the same; two names never come out alike.

    `quantities` are those that will be asked for: what need not change is theirs first."""

    def __init__(self, words: frozenset[str], quantities: Iterable[str] = ()) -> None:
        self._words = words
        self._given: dict[object, str] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        for name in sorted(quantities, key=lambda name: name in words or legal(name) != name):
            self(name)

    def __call__(self, name: str) -> str:
        """What a quantity is called."""
        return self._called(name, name)

    def slope(self, of: str, by: str) -> str:
        """What a derivative is called: dL_dW1."""
        known = self._given.get((of, by))
        return known or self._called((of, by), f"d{legal(of)}_d{legal(by)}")

    def part(self, of: str) -> str:
        """A new name for a part of what is called `of` in the program."""
        return self._fresh(f"{of}_part")

    def _called(self, key: object, name: str) -> str:
        found = self._given.get(key)
        if found is None:
            fine = legal(name) if isinstance(key, str) else name
            found = self._given[key] = self._fresh(fine + "_" if fine in self._words else fine)
        return found

    def _fresh(self, name: str) -> str:
        found = name
        while found in self._taken or found in self._words:
            self._counts[name] = self._counts.get(name, 1) + 1
            found = f"{name.rstrip('_')}_{self._counts[name]}"
        self._taken.add(found)
        return found


def harmless(text: str, most: int = 160) -> str:
    """Text that stands in a comment or a string: one line, nothing that ends it or turns its direction, not too long.

    >>> harmless('a' + chr(10) + 'b */ ' + chr(92))
    'a b * / /'
    """
    text = text[: most + 1]
    text = "".join(" " if c.isspace() else c if c.isprintable() else "?" for c in text)
    text = text.replace("\\", "/").replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''").replace("??", "? ?")
    return text if len(text) <= most else text[: most - 3] + "..."
