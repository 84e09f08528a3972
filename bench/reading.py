"""Reading formulas as students write them: first that all are read right, then how many a second.

The formulas and their expected sides were written down before the reader. A side is right if it has the expected
value where every name, and every derivative, has a value of its own; so a tree of another shape may be as good, and a
wrong reading is not. What is timed is the whole way from the text of a page to its chains, spans kept: `page` is
one page with all formulas, each between $$, 40 times over; `single` a page for each formula, without delimiters.
"""

from __future__ import annotations

import hashlib
import math
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

from common import Different, save, table, title

FORMULAS = r"""
D = w_1 C_1 + w_2 C_2 | D ; w_1*C_1+w_2*C_2
L = (D-3)^2 | L ; (D-3)**2
2(D-3) | 2*(D-3)
\frac{\partial L}{\partial B_1} = (2)(1)(1)+(-2)(-1) = \boxed{4} | d(L,B_1) ; 2*1*1+(-2)*(-1) ; 4
\frac{\partial L}{\partial D} = 2(D-3) = 2(4-3) = 2 | d(L,D) ; 2*(D-3) ; 2*(4-3) ; 2
\frac{dL}{dA_1} = -12 | d(L,A_1) ; -12
\frac{d L}{d A_2} = -4 | d(L,A_2) ; -4
dL/dB_1 = 4 | d(L,B_1) ; 4
\frac{\partial L}{\partial C_1} = \frac{\partial L}{\partial D} \cdot \frac{\partial D}{\partial C_1} | d(L,C_1) ; d(L,D)*d(D,C_1)
\frac{\partial L}{\partial B_1} = \frac{\partial L}{\partial C_1}\frac{\partial C_1}{\partial B_1} + \frac{\partial L}{\partial C_2}\frac{\partial C_2}{\partial B_1} | d(L,B_1) ; d(L,C_1)*d(C_1,B_1)+d(L,C_2)*d(C_2,B_1)
\sigma(z)(1-\sigma(z)) | f("sigma",z)*(1-f("sigma",z))
a = \sigma(w x + b) | a ; f("sigma",w*x+b)
\tanh(z) | f("tanh",z)
1 - \tanh^2(z) | 1-f("tanh",z)**2
h = \tanh(W_1 x_1 + W_2 x_2) | h ; f("tanh",W_1*x_1+W_2*x_2)
e^{-z} | E**(-z)
\frac{1}{1+e^{-z}} | 1/(1+E**(-z))
\exp(z) | f("exp",z)
B_1 = -2 \times (-1) + 1 \times 1 = 3 | B_1 ; -2*(-1)+1*1 ; 3
B_1 = -2A_1 + 1A_2 = -2(-1) + 1(1) = 3 | B_1 ; -2*A_1+A_2 ; -2*(-1)+1*1 ; 3
C_{1} = 1 \cdot 3 - 2 \cdot 1 = 1 | C_1 ; 1*3-2*1 ; 1
w_{11} x_1 | w_11*x_1
w_{1,2} x_2 | w_12*x_2
z^{(1)} = w x + b | z_1 ; w*x+b
A_1 = -1, A_2 = 1 | A_1 ; -1 ; A_2 ; 1
L = (4-3)^2 = 1^2 = 1 | L ; (4-3)**2 ; 1 ; 1
\boxed{-12} | -12
\frac{\partial L}{\partial A_1} = 4(-2) + (-4)(1) = -8 - 4 = \boxed{-12} | d(L,A_1) ; 4*(-2)+(-4)*1 ; -8-4 ; -12
\delta_1 = (a_1 - y_1) a_1 (1 - a_1) | delta_1 ; (a_1-y_1)*a_1*(1-a_1)
\frac{\partial E}{\partial w_1} = \delta_1 x_1 | d(E0,w_1) ; delta_1*x_1
w_1 := w_1 - \eta \frac{\partial L}{\partial w_1} | w_1 ; w_1-eta*d(L,w_1)
0.5 (y - \hat{y})^2 | 0.5*(y-yhat)**2
\frac{1}{2}(y-t)^2 | 0.5*(y-t)**2
\left(D - 3\right)^2 | (D-3)**2
2\left(D-3\right)\cdot 1 | 2*(D-3)
\frac{-3}{4} | -0.75
-\frac{3}{4} x | -0.75*x
\dfrac{dL}{dx} = 6x | d(L,x) ; 6*x
\partial L/\partial C_2 = -2 | d(L,C_2) ; -2
L'(D) = 2(D-3) | d(L,D) ; 2*(D-3)
\frac{\partial L}{\partial C _ { 1 }} = 2 \times 1 = 2 | d(L,C_1) ; 2*1 ; 2
\frac { \mathrm { d } L } { \mathrm { d } D } = 2 | d(L,D) ; 2
\mathrm{ReLU}(z) | f("relu",z)
\max(0, z) | f("max",0,z)
-y \log(p) - (1-y)\log(1-p) | -y*f("log",p)-(1-y)*f("log",1-p)
\ln p | f("log",p)
(D-3)(D-3) | (D-3)*(D-3)
a b c | a*b*c
3 \cdot 10^{-2} | 0.03
1.5e-3 | 0.0015
x_1^2 + x_2^2 | x_1**2+x_2**2
\sqrt{x} | x**0.5
\frac{\partial L}{\partial w_{11}} = \frac{\partial L}{\partial B_1} A_1 = 4 \cdot (-1) = -4 | d(L,w_11) ; d(L,B_1)*A_1 ; 4*(-1) ; -4
"""

FUNCTIONS: dict[str, Callable[..., float]] = {
    "sigma": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "exp": math.exp,
    "log": lambda z: math.log(abs(z)), "relu": lambda z: max(z, 0.0), "max": max,
}  # fmt: skip


def value(name: str) -> float:
    """A value of its own for each name, however it is spelt."""
    plain = re.sub(r"[_{}^(),]", "", name)
    return 0.3 + int(hashlib.md5(plain.encode()).hexdigest()[:6], 16) / 0xFFFFFF * 0.6


class Values(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return value(name.replace("E0", "E"))


def expected(side: str) -> float:
    side = re.sub(r"d\((\w+),(\w+)\)", lambda m: repr(value(f"d{m[1]}/d{m[2]}".replace("E0", "E"))), side)
    side = re.sub(r"\bE\b", repr(math.e), side)
    return eval(side, {"__builtins__": {}}, Values(f=lambda name, *args: FUNCTIONS[name](*args)))  # type: ignore[arg-type]


def sides(text: str) -> list[Any]:
    """The formulas of all links of all chains."""
    from backhand.readers.page import read_work
    from backhand.text import Source

    work = read_work([Source(text)])
    return [piece.formula for line in work.lines for chain in line.chains for piece in chain.pieces]


def found(formula: Any) -> float:
    from backhand.core.answers import folded
    from backhand.core.formula import Num, Ref, fold

    def leaf(node: Any) -> float:
        if isinstance(node, Num):
            return float(node.value)
        if isinstance(node, Ref):
            return math.e if node.name == "e" else value(folded(node.name))
        return value(f"d{folded(node.of)}/d{folded(node.by)}")

    def combine(node: Any, args: list[float]) -> float:
        if node.operation.name == "ln":
            return math.log(abs(args[0]))
        return float(node.operation.real(*args))

    return fold(formula, leaf, combine)


def check(cases: list[tuple[str, list[str]]]) -> None:
    for text, wanted in cases:
        for page in (f"$${text}$$", text):
            got = sides(page)
            if len(got) != len(wanted) and not (page == text and len(wanted) == 1):
                raise Different(f"{text}: {len(got)} sides instead of {len(wanted)}")
            for formula, side in zip(got, wanted, strict=False):
                if formula is None or not math.isclose(found(formula), expected(side), rel_tol=1e-9):
                    raise Different(f"{text}: {side} was read as {formula}")


def seconds(run: Callable[[], object], count: int, rounds: int = 7) -> list[float]:
    times: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append((time.process_time() - start) / count)
    return times


def main(*, full: bool = False) -> None:
    from backhand.readers.page import read_work
    from backhand.text import Source

    lines = [line.rsplit(" | ", 1) for line in FORMULAS.strip().splitlines()]
    cases = [(text.strip(), [side.strip() for side in wanted.split(" ; ")]) for text, wanted in lines]
    title(f"reading: {len(cases)} formulas")
    check(cases)
    print(f"  all {len(cases)} read right, with and without delimiters")
    many = 400 if full else 40
    page = "\n\n".join(f"$${text}$$" for text, _ in cases * many)
    rows = {
        "page": seconds(lambda: read_work([Source(page)]), len(cases) * many),
        "single": seconds(lambda: [read_work([Source(text)]) for text, _ in cases * 10], len(cases) * 10),
    }
    rates = {name: round(1 / statistics.median(times)) for name, times in rows.items()}
    table(
        ["way", "formulas a second", "best of 7"],
        [[name, f"{rates[name]:,}", f"{1 / min(rows[name]):,.0f}"] for name in rows],
    )
    save("reading", {"formulas": len(cases), "formulas_per_second": rates})


if __name__ == "__main__":
    main()
