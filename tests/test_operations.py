"""The table of operations tests itself: a row is tested by being there.

The oracles see only a row's value: SymPy differentiates the value string, mpmath takes differences
of it at 60 digits, and JAX differentiates its own function of that name. None of them sees the partials.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from backhand.core import evaluate as ev
from backhand.core.formula import Apply, Num, Ref, postorder
from backhand.core.operations import INFIX, OPERATIONS, ROWS, Operation
from backhand.core.rules import CALCULUS
from backhand.numbers import as_float

mpmath = pytest.importorskip("mpmath")

DOMAIN: dict[str, list[str]] = {
    "ln": ["1/3", "1", "7/2"], "log2": ["1/3", "2", "7/2"], "log10": ["1/3", "10", "7/2"], "sqrt": ["1/4", "2", "9"],
    "asin": ["-1/2", "0", "2/3"], "acos": ["-1/2", "0", "2/3"], "tan": ["-1", "0", "1/2"],
}  # fmt: skip
EVERYWHERE = ["-5/2", "-1/3", "1/7", "2", "19/4"]
PAIRS = [("2", "3"), ("1/3", "-2"), ("5/2", "1/2"), ("4", "2")]
MIXED = [("-2", "3"), ("-1/3", "5/2"), ("3/2", "-2"), ("7", "1/4")]

IDS = [f"{row.name}/{len(row.arguments)}" for row in ROWS]


def points(row: Operation) -> list[tuple[Fraction, ...]]:
    """Points inside the row's domain and off its kinks."""
    if not row.arguments:
        return [()]
    if len(row.arguments) == 1:
        return [(Fraction(u),) for u in DOMAIN.get(row.name, EVERYWHERE)]
    return [(Fraction(u), Fraction(v)) for u, v in (PAIRS if row.name == "^" else MIXED)]


def reference(row: Operation, args: tuple[Any, ...]) -> Any:
    """The row's value by mpmath, from its value string alone."""
    return by_mpmath(ev.row_formula(row.value), dict(zip(row.arguments, args, strict=True)))


PLAIN = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": mpmath.power, "neg": lambda a: -a, "max": max, "min": min, "abs": abs,
    "sign": mpmath.sign, "e": lambda: mpmath.e, "pi": lambda: mpmath.pi, "ln": mpmath.ln,
}  # fmt: skip


def by_mpmath(formula: Any, values: dict[str, Any]) -> Any:
    stack: list[Any] = []
    for node in postorder(formula):
        match node:
            case Num():
                stack.append(mpmath.mpf(node.value.numerator) / node.value.denominator)
            case Ref():
                stack.append(values[node.name])
            case Apply():
                args = [stack.pop() for _ in node.args][::-1]
                name = node.operation.name
                stack.append((PLAIN.get(name) or getattr(mpmath, name))(*args))
            case _:
                raise AssertionError(node)
    return stack[0]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_floats_have_all_their_digits(row: Operation) -> None:
    """The function for floats against the value string at 60 digits."""
    with mpmath.workdps(60):
        for args in points(row):
            expected = reference(row, tuple(mpmath.mpf(a.numerator) / a.denominator for a in args))
            assert math.isclose(row.real(*map(float, args)), float(expected), rel_tol=5e-15, abs_tol=1e-300), args


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_exact_results_are_exact(row: Operation) -> None:
    """Where fractions come out, they are the value string's value."""
    with mpmath.workdps(60):
        for args in [*points(row), *exact_points(row)]:
            found = ev.apply_operation(row, list(args))
            if isinstance(found, Fraction):
                expected = reference(row, tuple(mpmath.mpf(a.numerator) / a.denominator for a in args))
                assert abs(mpmath.mpf(found.numerator) / found.denominator - expected) < mpmath.mpf(10) ** -50


def exact_points(row: Operation) -> list[tuple[Fraction, ...]]:
    """Where a rational result is expected although the operation is not rational."""
    special = {
        "exp": 0,
        "ln": 1,
        "log2": 8,
        "log10": 1000,
        "sqrt": Fraction(9, 4),
        "acos": 1,
        "sigmoid": 0,
        "elu": 3,
        "cos": 0,
    }
    if len(row.arguments) != 1:
        return []
    return [(Fraction(special.get(row.name, 0)),)] if row.name in special or row.name not in DOMAIN else []


SPECIAL = [("exp(0)", 1), ("ln(1)", 0), ("log2(1/8)", -3), ("log10(1000)", 3), ("sqrt(9/4)", Fraction(3, 2)), ("sin(0)", 0),
           ("cos(0)", 1), ("sigmoid(0)", Fraction(1, 2)), ("8^(1/3)", 2), ("(4/9)^(-1/2)", Fraction(3, 2)), ("gelu(0)", 0),
           ("elu(2)", 2), ("relu(-1)", 0), ("leaky_relu(-1)", Fraction(-1, 100)), ("max(1/3, 0.3)", Fraction(1, 3))]  # fmt: skip


@pytest.mark.parametrize(("formula", "value"), SPECIAL, ids=[f for f, _ in SPECIAL])
def test_values_that_stay_fractions(formula: str, value: Fraction) -> None:
    found = ev.evaluate(ev.row_formula(formula), {})
    assert isinstance(found, Fraction)
    assert found == value


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_partials_against_differences_of_the_value_at_sixty_digits(row: Operation) -> None:
    with mpmath.workdps(60):
        step = mpmath.mpf(10) ** -20
        for args in points(row):
            for k in range(len(args)):
                ends = [
                    reference(
                        row,
                        tuple(
                            mpmath.mpf(a.numerator) / a.denominator + (sign * step if j == k else 0)
                            for j, a in enumerate(args)
                        ),
                    )
                    for sign in (1, -1)
                ]
                expected = (ends[0] - ends[1]) / (2 * step)
                assert math.isclose(partial(row, k, args), float(expected), rel_tol=1e-12, abs_tol=1e-14), (args, k)


def partial(row: Operation, k: int, args: tuple[Fraction, ...]) -> float:
    """The partial as propagation computes it."""
    values = list(args)
    found = CALCULUS.local(row, k, values, ev.apply_operation(row, list(values)), lambda words: None)
    assert isinstance(found, (Fraction, float))
    return as_float(found)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.arguments], ids=[i for r, i in zip(ROWS, IDS, strict=True) if r.arguments]
)
def test_partials_against_sympy_on_the_value_string(row: Operation) -> None:
    sympy = pytest.importorskip("sympy")
    letters = [sympy.Symbol(letter, real=True) for letter in row.arguments]
    value = by_sympy(sympy, ev.row_formula(row.value), dict(zip(row.arguments, letters, strict=True)))
    for args in points(row):
        at = {letter: sympy.Rational(a.numerator, a.denominator) for letter, a in zip(letters, args, strict=True)}
        for k, letter in enumerate(letters):
            expected = float(sympy.diff(value, letter).subs(at).doit().evalf(30))
            assert math.isclose(partial(row, k, args), expected, rel_tol=1e-12, abs_tol=1e-14), (args, k)


def by_sympy(sympy: Any, formula: Any, values: dict[str, Any]) -> Any:
    table = {
        "max": sympy.Max,
        "min": sympy.Min,
        "abs": sympy.Abs,
        "ln": sympy.log,
        "e": lambda: sympy.E,
        "pi": lambda: sympy.pi,
        "^": lambda a, b: a**b,
    }
    stack: list[Any] = []
    for node in postorder(formula):
        if isinstance(node, Num):
            stack.append(sympy.Rational(node.value.numerator, node.value.denominator))
        elif isinstance(node, Ref):
            stack.append(values[node.name])
        else:
            args = [stack.pop() for _ in node.args][::-1]
            name = node.operation.name
            function = table.get(name) or (PLAIN[name] if name in INFIX else getattr(sympy, name))
            stack.append(function(*args))
    return stack[0]


JAX = {
    "exp": "jnp.exp", "ln": "jnp.log", "log2": "jnp.log2", "log10": "jnp.log10", "sqrt": "jnp.sqrt", "sin": "jnp.sin",
    "cos": "jnp.cos", "tan": "jnp.tan", "asin": "jnp.arcsin", "acos": "jnp.arccos", "atan": "jnp.arctan", "sinh": "jnp.sinh",
    "cosh": "jnp.cosh", "tanh": "jnp.tanh", "abs": "jnp.abs", "max": "jnp.maximum", "min": "jnp.minimum", "sign": "jnp.sign",
    "^": "jnp.power", "+": "jnp.add", "-": "jnp.subtract", "*": "jnp.multiply", "/": "jnp.divide", "neg": "jnp.negative",
    "sigmoid": "nn.sigmoid", "relu": "nn.relu", "leaky_relu": "nn.leaky_relu", "elu": "nn.elu", "softplus": "nn.softplus",
    "silu": "nn.silu", "gelu": "nn.gelu", "erf": "jax.scipy.special.erf",
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", JAX)
def test_values_and_partials_against_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    space = {"jnp": jnp, "nn": jax.nn, "jax": jax}
    parts = JAX[name].split(".")
    function: Any = space[parts[0]]
    for part in parts[1:]:
        function = getattr(function, part)
    if name == "gelu":
        function = lambda u: jax.nn.gelu(u, approximate=False)  # noqa: E731
    row = OPERATIONS.get((name, 2 if name in "+-*/^" or name in ("max", "min") else 1))
    assert row is not None
    corners = (
        [(Fraction(0),)]
        if name in ("relu", "abs", "elu")
        else [(Fraction(2), Fraction(2))]
        if name in ("max", "min")
        else []
    )
    for args in [*points(row), *corners]:
        numbers = [jnp.float64(float(a)) for a in args]
        assert math.isclose(float(function(*numbers)), row.real(*map(float, args)), rel_tol=1e-13, abs_tol=1e-15)
        for k in range(len(args)):
            if name == "^" and args[0] < 0:
                continue
            expected = float(jax.grad(function, argnums=k)(*numbers))
            if name == "abs" and args == (0,):
                assert expected == 1  # JAX goes with the right side there; ours is the middle, and it is announced
                continue
            assert math.isclose(partial(row, k, args), expected, rel_tol=1e-12, abs_tol=1e-14), (args, k)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_is_complete(row: Operation) -> None:
    assert len(row.partials) == len(row.arguments)
    assert row.rule and row.words
    assert all("{" + argument + "}" in row.words for argument in row.arguments)
    assert OPERATIONS[row.name, len(row.arguments)] is row


@pytest.mark.parametrize("row", [row for row in ROWS if row.kinks], ids=lambda row: f"{row.name}{len(row.arguments)}")
def test_a_kink_is_never_silent(row: Operation) -> None:
    heard: list[str] = []
    args: list[Fraction] = [Fraction(0)] * len(row.arguments)
    if row.name in ("leaky_relu", "elu") and len(args) == 2:
        args[1] = Fraction(1, 10)
    for k in range(len(args)):
        CALCULUS.local(row, k, list(args), ev.apply_operation(row, list(args)), heard.append)
    assert any(row.kinks[0].convention in words for words in heard)
