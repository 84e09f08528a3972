"""The table of elementary operations. One row is everything Backhand knows about an operation.

    sigmoid | u | 1/(1 + exp(-u)) | y*(1 - y)

A row states the value and the local derivatives (`partials`, one an argument) as formulas in
Backhand's own notation: `u`, `v` are the arguments and `y` is the value itself. Evaluation with
exact numbers, floats and symbols, generated code, typesetting, the sentences of the working, the
tests and the manual read these strings; nobody repeats them.

To add an operation, add a row. Its partials are tested by being there. A row whose value is a
formula of other rows needs no `exact`; it needs a `real` only where the formula loses digits in
floating point (`core.arithmetic` has those functions).
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from fractions import Fraction

from backhand.core import arithmetic as ar


@dataclass(frozen=True, slots=True, eq=False)
class Kink:
    """A point without one slope. `at` is a formula that is 0 there; `slopes` are the smallest and largest slope
    of the two sides (accepted in marking), `convention` says which is taken."""

    at: str
    slopes: tuple[str, str]
    convention: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Operation:
    """A row.

    `name`       what it is called in the notation; `aliases` other spellings
    `arguments`  their letters in the formulas
    `value`      y as a formula; a row that is defined by its `exact` and `real` names itself: `exp(u)`
    `partials`   dy/du, dy/dv, ... as formulas in u, v, y
    `rule`       the name of its differentiation rule, in the sentence "by the ..."
    `words`      how it is read aloud, with {u} and {v}
    `latex`      the command that typesets its name; "" for the name in upright letters
    `exact`      fractions to a fraction, or None where the value is not rational
    `real`       floats to a float
    """

    name: str
    arguments: tuple[str, ...]
    value: str
    partials: tuple[str, ...]
    rule: str
    words: str
    real: Callable[..., float]
    exact: Callable[..., Fraction | None] | None = None
    latex: str = ""
    aliases: tuple[str, ...] = ()
    kinks: tuple[Kink, ...] = ()

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


U, UV = ("u",), ("u", "v")
CORNER = "its slope there is taken as {slope}, and any number from {low} to {high} is as good"


def _corner(at: str, slope: str, low: str, high: str) -> Kink:
    return Kink(at, (low, high), CORNER.format(slope=slope, low=low, high=high))


# fmt: off
ROWS: tuple[Operation, ...] = (
    # -- arithmetic ----------------------------------------------------------------------------------
    Operation("+", UV, "u + v", ("1", "1"), "sum rule", "{u} plus {v}", ar.add, ar.add_exact),
    Operation("-", UV, "u - v", ("1", "-1"), "difference rule", "{u} minus {v}", ar.subtract, ar.subtract_exact),
    Operation("*", UV, "u*v", ("v", "u"), "product rule", "{u} times {v}", ar.multiply, ar.multiply_exact),
    Operation("/", UV, "u/v", ("1/v", "-y/v"), "quotient rule", "{u} over {v}", ar.divide, ar.divide_exact),
    Operation("neg", U, "-u", ("-1",), "constant factor -1", "minus {u}", ar.negate, ar.negate_exact),
    Operation("^", UV, "u^v", ("v*u^(v - 1)", "y*ln(u)"), "power rule", "{u} to the power {v}", ar.power, ar.power_exact),
    # -- exponentials and logarithms -----------------------------------------------------------------
    Operation("exp", U, "exp(u)", ("y",), "derivative of exp", "e to the {u}", ar.exp, ar.at(0, 1),
              r"\exp"),
    Operation("ln", U, "ln(u)", ("1/u",), "derivative of ln", "the natural logarithm of {u}", ar.ln, ar.ln_exact,
              r"\ln", aliases=("log",)),
    Operation("log2", U, "ln(u)/ln(2)", ("1/(u*ln(2))",), "derivative of log2", "the logarithm of {u} to base 2",
              ar.log2, ar.log2_exact, r"\log_{2}", aliases=("lb", "ld")),
    Operation("log10", U, "ln(u)/ln(10)", ("1/(u*ln(10))",), "derivative of log10",
              "the logarithm of {u} to base 10", ar.log10, ar.log10_exact, r"\log_{10}", aliases=("lg",)),
    Operation("sqrt", U, "u^(1/2)", ("1/(2*y)",), "derivative of the square root", "the square root of {u}",
              ar.sqrt, ar.sqrt_exact, r"\sqrt"),
    # -- trigonometric and hyperbolic functions ------------------------------------------------------
    Operation("sin", U, "sin(u)", ("cos(u)",), "derivative of sin", "the sine of {u}", ar.sin, ar.at(0, 0), r"\sin"),
    Operation("cos", U, "cos(u)", ("-sin(u)",), "derivative of cos", "the cosine of {u}", ar.cos, ar.at(0, 1), r"\cos"),
    Operation("tan", U, "tan(u)", ("1 + y^2",), "derivative of tan", "the tangent of {u}", ar.tan, ar.at(0, 0), r"\tan"),
    Operation("asin", U, "asin(u)", ("1/sqrt(1 - u^2)",), "derivative of arcsin", "the arc sine of {u}",
              ar.asin, ar.at(0, 0), r"\arcsin", aliases=("arcsin",)),
    Operation("acos", U, "acos(u)", ("-1/sqrt(1 - u^2)",), "derivative of arccos", "the arc cosine of {u}",
              ar.acos, ar.at(1, 0), r"\arccos", aliases=("arccos",)),
    Operation("atan", U, "atan(u)", ("1/(1 + u^2)",), "derivative of arctan", "the arc tangent of {u}",
              ar.atan, ar.at(0, 0), r"\arctan", aliases=("arctan",)),
    Operation("sinh", U, "sinh(u)", ("cosh(u)",), "derivative of sinh", "the hyperbolic sine of {u}",
              ar.sinh, ar.at(0, 0), r"\sinh"),
    Operation("cosh", U, "cosh(u)", ("sinh(u)",), "derivative of cosh", "the hyperbolic cosine of {u}",
              ar.cosh, ar.at(0, 1), r"\cosh"),
    Operation("tanh", U, "tanh(u)", ("1 - y^2",), "derivative of tanh", "the hyperbolic tangent of {u}",
              ar.tanh, ar.at(0, 0), r"\tanh"),
    Operation("erf", U, "erf(u)", ("2*exp(-u^2)/sqrt(pi)",), "derivative of erf", "the error function of {u}",
              ar.erf, ar.at(0, 0)),
    # -- activations ---------------------------------------------------------------------------------
    Operation("sigmoid", U, "1/(1 + exp(-u))", ("y*(1 - y)",), "derivative of sigmoid", "sigmoid of {u}",
              ar.sigmoid, aliases=("logistic", "σ")),
    Operation("relu", U, "max(u, 0)", ("step(u)",), "derivative of relu", "relu of {u}", ar.relu,
              aliases=("ReLU",), kinks=(_corner("u", "0", "0", "1"),)),
    Operation("leaky_relu", U, "max(u, 0) + 0.01*min(u, 0)", ("step(u) + 0.01*(1 - step(u))",),
              "derivative of leaky relu", "leaky relu of {u}", ar.leaky_relu, aliases=("leakyrelu", "LeakyReLU"),
              kinks=(_corner("u", "0.01", "0.01", "1"),)),
    Operation("leaky_relu", UV, "max(u, 0) + v*min(u, 0)", ("step(u) + v*(1 - step(u))", "min(u, 0)"),
              "derivative of leaky relu", "leaky relu of {u} with slope {v}", ar.leaky_relu, aliases=("leakyrelu", "LeakyReLU"),
              kinks=(_corner("u", "the smaller one's", "the second argument", "1"),)),
    Operation("elu", U, "max(u, 0) + exp(min(u, 0)) - 1", ("step(u) + (1 - step(u))*exp(min(u, 0))",),
              "derivative of elu", "elu of {u}", ar.elu, aliases=("ELU",)),
    Operation("elu", UV, "max(u, 0) + v*(exp(min(u, 0)) - 1)",
              ("step(u) + (1 - step(u))*v*exp(min(u, 0))", "exp(min(u, 0)) - 1"),
              "derivative of elu", "elu of {u} with scale {v}", ar.elu, aliases=("ELU",),
              kinks=(_corner("u", "that from the left", "the second argument", "1"),)),
    Operation("softplus", U, "ln(1 + exp(u))", ("sigmoid(u)",), "derivative of softplus", "softplus of {u}", ar.softplus),
    Operation("gelu", U, "u*(1 + erf(u/sqrt(2)))/2", ("(1 + erf(u/sqrt(2)))/2 + u*exp(-u^2/2)/sqrt(2*pi)",),
              "derivative of gelu", "gelu of {u}", ar.gelu, ar.at(0, 0), aliases=("GELU",)),
    Operation("silu", U, "u/(1 + exp(-u))", ("sigmoid(u) + y*(1 - sigmoid(u))",),
              "derivative of silu", "silu of {u}", ar.silu, aliases=("swish", "SiLU")),
    # -- absolute value, choice, steps ---------------------------------------------------------------
    Operation("abs", U, "abs(u)", ("sign(u)",), "derivative of the absolute value", "the absolute value of {u}",
              ar.absolute, ar.absolute_exact, r"\lvert\rvert", kinks=(_corner("u", "0", "-1", "1"),)),
    Operation("max", UV, "max(u, v)", ("(1 + sign(u - v))/2", "(1 - sign(u - v))/2"), "derivative of max",
              "the larger of {u} and {v}", ar.maximum, ar.maximum_exact, r"\max",
              kinks=(_corner("u - v", "1/2 for either", "0", "1"),)),
    Operation("min", UV, "min(u, v)", ("(1 - sign(u - v))/2", "(1 + sign(u - v))/2"), "derivative of min",
              "the smaller of {u} and {v}", ar.minimum, ar.minimum_exact, r"\min",
              kinks=(_corner("u - v", "1/2 for either", "0", "1"),)),
    Operation("sign", U, "sign(u)", ("0",), "derivative of sign", "the sign of {u}", ar.sign, ar.sign_exact,
              aliases=("sgn",), kinks=(Kink("u", ("0", "0"), "it jumps there, so it has no slope; 0 is taken"),)),
    Operation("step", U, "(sign(u) + abs(sign(u)))/2", ("0",), "derivative of step", "the unit step of {u}",
              ar.step, aliases=("heaviside",),
              kinks=(Kink("u", ("0", "0"), "it jumps there, so it has no slope; 0 is taken"),)),
    # -- constants -----------------------------------------------------------------------------------
    Operation("e", (), "exp(1)", (), "constant", "e", ar.constant_e, latex="e"),
    Operation("pi", (), "acos(-1)", (), "constant", "pi", ar.constant_pi, latex=r"\pi", aliases=("π",)),
)
# fmt: on

OPERATIONS: dict[tuple[str, int], Operation] = {
    (spelling, len(row.arguments)): row for row in ROWS for spelling in (row.name, *row.aliases)
}
"""Rows by spelling and number of arguments."""

INFIX = frozenset(["+", "-", "*", "/", "neg", "^"])
FUNCTIONS = frozenset(name for name, count in OPERATIONS if count and name not in INFIX)
CONSTANTS = frozenset(name for name, count in OPERATIONS if not count)
ARRAY_FUNCTIONS = frozenset(
    """attention avg_pool batchnorm binary_cross_entropy binary_cross_entropy_logits concat conv1d conv2d cross_entropy
    cross_entropy_logits dot dropout gather half_sse huber kl largest layernorm linear load log_softmax mae masked_softmax max_pool mean mse one_hot ones outer random reshape rmsnorm
    smallest softmax spread stack sum transpose unfold var zeros""".split()
)
"""The functions of `core.array_operations`, which is loaded when one of them is read."""


def spelling(row: Operation, taken: Container[str]) -> str:
    """What a function is called where some names are taken: one of its other names, or else a capital: `Sin`."""
    for name in (row.name, *row.aliases):
        if name not in taken:
            return name
    name = row.name.capitalize()
    while name in taken:
        name += "_"
    return name


ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = (OPERATIONS[name, 2] for name in "+-*/^")
NEGATE = OPERATIONS["neg", 1]


def arities(name: str) -> list[int]:
    """How many arguments the function of this name may have."""
    return sorted(count for spelling, count in OPERATIONS if spelling == name)
