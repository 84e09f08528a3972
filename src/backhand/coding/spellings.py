"""The table of spellings: how each operation of both tables is written in each language.

    exp      np.exp({u})   torch.exp({u})   jnp.exp({u})   math.exp({u})   exp({u})

A spelling is a text with the arguments in braces; a sign that stands between its arguments; a function
of a Call, where shapes and options decide; OPEN, for a row that is written out as its formula of other rows
(`mse(y, t)` as the mean of the squares); or None, for what a language does not have. A `!` before a name says that
the function is one of `coding.helpers`. A capital {U} asks for a tensor where a number may stand.

A row of either table that is missing here fails a test. Languages without arrays (python, c) have no
spellings of rows of arrays: such networks are written out element by element first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast, get_args

from backhand.core.array_operations import Shape, axes_of, pairs
from backhand.solving.solution import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Infix:
    """A sign between arguments: `{u} + {v}`; how strongly it binds."""

    sign: str
    rank: int


SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5


class Open:
    """A row that is written out as its formula."""


OPEN = Open()


@dataclass(frozen=True, slots=True)
class Call:
    """An operation at its place: texts and shapes of its arguments, the shape of its result, what it is told."""

    language: Language
    args: Sequence[str]
    ranks: Sequence[int]
    shapes: Sequence[Shape]
    shape: Shape
    options: dict[str, Any]

    def atom(self, position: int) -> str:
        """An argument that something is said of behind it: `.T`, `[0]`."""
        text = self.args[position]
        return text if self.ranks[position] == ATOM else f"({text})"

    @property
    def xp(self) -> str:
        """The library of arrays."""
        return {"numpy": "np", "jax": "jnp", "torch": "torch"}[self.language]

    def axis(self, *, always: bool = False) -> str:
        """`, axis=0, keepdims=True` as the library says it; nothing for all axes."""
        axis, keep = self.options["axis"], bool(self.options.get("keepdims"))
        if axis is None and (always or (keep and self.language == "torch")):
            axis = axes_of(None, len(self.shapes[0]))
        words = ("dim", "keepdim") if self.language == "torch" else ("axis", "keepdims")
        return (f", {words[0]}={axis}" if axis is not None else "") + (f", {words[1]}=True" if keep else "")


Spelling: TypeAlias = "str | Infix | Open | Callable[[Call], str] | None"


class Row(NamedTuple):
    """The spellings of one operation."""

    numpy: Spelling
    torch: Spelling
    jax: Spelling
    python: Spelling = None
    c: Spelling = None


def _same(spelling: Spelling) -> Row:
    return Row(spelling, spelling, spelling, spelling, spelling)


def _function(name: str, other: str = "") -> Row:
    """A function of one number: its name in NumPy and JAX, and elsewhere."""
    other = other or name
    libraries = (f"np.{name}", f"torch.{other}", f"jnp.{name}", f"math.{other}", other)
    return Row(*(f"{function}({{u}})" for function in libraries))


def _arrays(spelling: Spelling) -> Row:
    """Alike in the three libraries of arrays."""
    return Row(spelling, spelling, spelling)


# -- rows of arrays ---------------------------------------------------------------------------------------------------


def _reduction(numpy: str, torch: str = "", *, more: str = "") -> Row:
    """A sum and its like along axes."""

    def spelled(call: Call) -> str:
        name = (torch or numpy) if call.language == "torch" else numpy
        return f"{call.xp}.{name}({call.args[0]}{call.axis()}{more if call.language == 'torch' else ''})"

    return _arrays(spelled)


def _spread(call: Call) -> str:
    text, shape = call.args[0], call.shapes[0]
    if not shape:
        whole = "torch.broadcast_to({1}, {0})" if call.language == "torch" else f"{call.xp}.full({{0}}, {{1}})"
        return whole.format(call.shape, text)
    if not call.options["keepdims"]:
        axes = axes_of(call.options["axis"], len(call.shape))
        text = f"{call.atom(0)}[{', '.join('None' if axis in axes else ':' for axis in range(len(call.shape)))}]"
    return f"{call.xp}.broadcast_to({text}, {call.shape})"


def _softmax(name: str) -> Row:
    """Along the last axis where nothing is said."""

    def spelled(call: Call) -> str:
        axis = call.options["axis"]
        if call.language == "torch":
            return f"torch.{name}({call.args[0]}, dim={axis})"
        told = "" if axis == -1 else f", axis={axis}"
        return f"{'jax.nn.' if call.language == 'jax' else '!'}{name}({call.args[0]}{told})"

    return _arrays(spelled)


def _masked_softmax(call: Call) -> str:
    told = "" if call.options["axis"] == -1 else f", axis={call.options['axis']}"
    return f"!masked_softmax({', '.join(call.args)}{told})"


def _most(name: str) -> Row:
    def spelled(call: Call) -> str:
        return f"!{name}({call.args[0]}{'' if call.options['axis'] is None else ', axis=' + str(call.options['axis'])})"

    return _arrays(spelled)


def _transposed(call: Call) -> str:
    (text,), (shape,) = call.args, call.shapes
    axes = call.options["axes"]
    if len(shape) < 2:
        return text
    if axes is None and len(shape) == 2:
        return f"{call.atom(0)}.T"
    order = axes_of(axes, len(shape)) if axes is not None else tuple(range(len(shape)))[::-1]
    return f"torch.permute({text}, {order})" if call.language == "torch" else f"{call.xp}.transpose({text}, {order})"


def _reshaped(call: Call) -> str:
    return f"{call.xp}.reshape({call.args[0]}, {call.shape})"


def _part(part: Any) -> str:
    """One place in brackets."""
    if not isinstance(part, tuple):
        return str(part)
    start, stop, step = ("" if p is None else str(p) for p in cast("tuple[Any, ...]", part))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _turned(key: Sequence[Any], shape: Shape) -> tuple[list[Any], tuple[int, ...]]:
    """Places as PyTorch takes them, which has no negative steps: the axes to turn round, and the places then."""
    parts: list[Any] = []
    turned: list[int] = []
    for axis, part in enumerate(key):
        if isinstance(part, tuple) and (part[2] or 1) < 0:
            places = range(*slice(*cast("tuple[Any, ...]", part)).indices(shape[axis]))
            last = shape[axis] - 1
            parts.append((last - places[0], last - places[-1] + 1, -places.step))
            turned.append(axis)
        else:
            parts.append(part)
    return parts, tuple(turned)


def _index(call: Call) -> str:
    text, key = call.atom(0), call.options["key"]
    if call.language == "torch":
        key, turned = _turned(key, call.shapes[0])
        text = f"torch.flip({call.args[0]}, {turned})" if turned else text
    return f"{text}[{', '.join(map(_part, key))}]"


def _slices(key: Sequence[Any]) -> str:
    """Places as a tuple."""
    parts = [
        f"slice({', '.join(map(str, cast('tuple[Any, ...]', part)))})" if isinstance(part, tuple) else str(part)
        for part in key
    ]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _placed(call: Call) -> str:
    key = call.options["key"]
    if call.language == "jax":
        return f"jnp.zeros({call.shape}).at[{', '.join(map(_part, key))}].set({call.args[0]})"
    if call.language == "torch":
        key, turned = _turned(key, call.shape)
        if turned:
            return f"torch.flip(!place({call.args[0]}, {_slices(key)}, {call.shape}), {turned})"
    return f"!place({call.args[0]}, {_slices(key)}, {call.shape})"


def _joined(call: Call) -> str:
    name = "cat" if call.language == "torch" else "concatenate"
    told = f", {'dim' if call.language == 'torch' else 'axis'}={call.options['axis']}" if call.options["axis"] else ""
    return f"{call.xp}.{name}([{', '.join(call.args)}]{told})"


def _stacked(call: Call) -> str:
    inside = f"[{', '.join(call.args)}]"
    if call.language != "torch" and not any(call.shapes):
        return f"{call.xp}.array({inside})"
    told = f", {'dim' if call.language == 'torch' else 'axis'}={call.options['axis']}" if call.options["axis"] else ""
    return f"{call.xp}.stack({inside}{told})"


def _whole(call: Call, position: int) -> str:
    """Numbers of classes or rows, which stand among floats, as whole numbers."""
    if call.language == "torch":
        return f"{call.atom(position)}.long()"
    return f"{call.xp}.asarray({call.args[position]}, dtype=int)"


def _gathered(call: Call) -> str:
    return f"{call.atom(0)}[{_whole(call, 1)}]"


def _scattered(call: Call) -> str:
    return f"!scatter({call.args[0]}, {call.args[1]}, {call.shape})"


def _one_hot(call: Call) -> str:
    return f"{call.xp}.eye({call.options['size']})[{_whole(call, 0)}]"


def _random(call: Call) -> str:
    told = "".join(
        f", {key}={call.options[key] if key == 'seed' else float(call.options[key])}"
        for key, usual in (("seed", 0), ("scale", 1))
        if call.options[key] != usual
    )
    made = f"!made_up({call.shape}{told})"
    return {"torch": f"torch.from_numpy({made})", "jax": f"jnp.asarray({made})"}.get(call.language, made)


def _filled(name: str) -> Row:
    def spelled(call: Call) -> str:
        return f"{call.xp}.{name}({call.shape})"

    return _arrays(spelled)


def _window(call: Call, axes: int) -> str:
    """Stride, padding and dilation, one for each axis, where they are not the usual."""
    told = ""
    for key, usual in (("stride", 1), ("padding", 0), ("dilation", 1)):
        sizes = pairs(call.options[key], axes, 0)
        if any(size != usual for size in sizes):
            told += f", {key}={sizes}"
    return told


def _size(call: Call) -> tuple[int, ...]:
    size = call.options["size"]
    return cast("tuple[int, ...]", size) if isinstance(size, tuple) else (size,)


def _unfolded(call: Call) -> str:
    size = _size(call)
    return f"!unfold({call.args[0]}, {size}{_window(call, len(size))})"


def _folded(call: Call) -> str:
    size = _size(call)
    return f"!fold({call.args[0]}, {call.shape}, {size}{_window(call, len(size))})"


def _axes_of_kernel(shape: Shape) -> int:
    return 1 if len(shape) in (1, 3) else 2


def _convolved(call: Call) -> str:
    return f"!convolve({', '.join(call.args)}{_window(call, _axes_of_kernel(call.shapes[1]))})"


def _convolved_back_image(call: Call) -> str:
    told = _window(call, _axes_of_kernel(call.shapes[1]))
    return f"!convolve_back_image({', '.join(call.args)}, {call.shape}{told})"


def _convolved_back_kernel(call: Call) -> str:
    told = _window(call, _axes_of_kernel(call.shape))
    return f"!convolve_back_kernel({', '.join(call.args)}, {call.shape}{told})"


# -- the table --------------------------------------------------------------------------------------------------------

# fmt: off
SPELLINGS: dict[tuple[str, int], Row] = {
    # -- of single numbers, element by element on arrays
    ("+", 2): _same(Infix("+", SUM)),
    ("-", 2): _same(Infix("-", SUM)),
    ("*", 2): _same(Infix("*", PRODUCT)),
    ("/", 2): _same(Infix("/", PRODUCT)),
    ("neg", 1): _same(Infix("-", SIGN)),
    ("^", 2): _same(Infix("**", POWER))._replace(c="pow({u}, {v})"),
    ("exp", 1): _function("exp"),
    ("ln", 1): _function("log"),
    ("log2", 1): _function("log2"),
    ("log10", 1): _function("log10"),
    ("sqrt", 1): _function("sqrt"),
    ("sin", 1): _function("sin"),
    ("cos", 1): _function("cos"),
    ("tan", 1): _function("tan"),
    ("asin", 1): _function("arcsin", "asin"),
    ("acos", 1): _function("arccos", "acos"),
    ("atan", 1): _function("arctan", "atan"),
    ("sinh", 1): _function("sinh"),
    ("cosh", 1): _function("cosh"),
    ("tanh", 1): _function("tanh"),
    ("erf", 1): _function("erf")._replace(numpy="!erf({u})", jax="jax.scipy.special.erf({u})"),
    ("sigmoid", 1): Row("!sigmoid({u})", "torch.sigmoid({u})", "jax.nn.sigmoid({u})", "!sigmoid({u})", "!sigmoid({u})"),
    ("relu", 1): Row("np.maximum({u}, 0.0)", "torch.relu({u})", "jax.nn.relu({u})", "!relu({u})", "fmax({u}, 0.0)"),
    ("leaky_relu", 1): _same("!leaky_relu({u})")._replace(c="!leaky_relu({u}, 0.01)"),
    ("leaky_relu", 2): _same("!leaky_relu({u}, {v})")._replace(torch="!leaky_relu({U}, {v})"),
    ("elu", 1): _same("!elu({u})")._replace(c="!elu({u}, 1.0)"),
    ("elu", 2): _same("!elu({u}, {v})")._replace(torch="!elu({U}, {v})"),
    ("softplus", 1): Row("np.logaddexp({u}, 0.0)", "!softplus({u})", "jnp.logaddexp({u}, 0.0)", "!softplus({u})", "!softplus({u})"),
    ("gelu", 1): _same("!gelu({u})"),
    ("silu", 1): Row("!silu({u})", "torch.nn.functional.silu({u})", "jax.nn.silu({u})", "!silu({u})", "!silu({u})"),
    ("abs", 1): Row("np.abs({u})", "torch.abs({u})", "jnp.abs({u})", "abs({u})", "fabs({u})"),
    ("max", 2): Row("np.maximum({u}, {v})", "torch.maximum({U}, {V})", "jnp.maximum({u}, {v})", "max({u}, {v})", "fmax({u}, {v})"),
    ("min", 2): Row("np.minimum({u}, {v})", "torch.minimum({U}, {V})", "jnp.minimum({u}, {v})", "min({u}, {v})", "fmin({u}, {v})"),
    ("sign", 1): Row("np.sign({u})", "torch.sign({u})", "jnp.sign({u})", "!sign({u})", "!sign({u})"),
    ("step", 1): Row("np.heaviside({u}, 0.0)", "torch.where({u} > 0, 1.0, 0.0)", "jnp.where({u} > 0, 1.0, 0.0)", "!step({u})", "!step({u})"),
    ("e", 0): Row("np.e", "math.e", "jnp.e", "math.e", "2.718281828459045"),
    ("pi", 0): Row("np.pi", "math.pi", "jnp.pi", "math.pi", "3.141592653589793"),
    # -- of arrays
    ("sum", 1): _reduction("sum"),
    ("spread", 1): _arrays(_spread),
    ("mean", 1): _reduction("mean"),
    ("var", 1): _reduction("var", more=", correction=0"),
    ("max", 1): _reduction("max", "amax"),
    ("min", 1): _reduction("min", "amin"),
    ("largest", 1): _most("largest"),
    ("smallest", 1): _most("smallest"),
    ("@", 2): _arrays(Infix("@", PRODUCT)),
    ("outer", 2): Row("np.outer({u}, {v})", "torch.outer({u}, {v})", "jnp.outer({u}, {v})"),
    ("dot", 2): _arrays(Infix("@", PRODUCT)),
    ("transpose", 1): _arrays(_transposed),
    ("reshape", 1): _arrays(_reshaped),
    ("index", 1): _arrays(_index),
    ("place", 1): _arrays(_placed),
    ("concat", 1): _arrays(_joined),
    ("stack", 1): _arrays(_stacked),
    ("gather", 2): _arrays(_gathered),
    ("scatter", 2): _arrays(_scattered),
    ("one_hot", 1): _arrays(_one_hot),
    ("zeros", 0): _filled("zeros"),
    ("ones", 0): _filled("ones"),
    ("random", 0): _arrays(_random),
    ("load", 0): _arrays(None),  # an array that is given: `coding.given`
    ("unfold", 1): _arrays(_unfolded),
    ("fold", 1): _arrays(_folded),
    ("conv1d", 2): _arrays(_convolved),
    ("conv2d", 2): _arrays(_convolved),
    ("conv_back_image", 2): _arrays(_convolved_back_image),
    ("conv_back_kernel", 2): _arrays(_convolved_back_kernel),
    ("max_pool", 1): _arrays(OPEN),
    ("avg_pool", 1): _arrays(OPEN),
    ("softmax", 1): _softmax("softmax"),
    ("log_softmax", 1): _softmax("log_softmax"),
    ("masked_softmax", 2): _arrays(_masked_softmax),
    ("cross_entropy", 2): _arrays(OPEN),
    ("cross_entropy_logits", 2): _arrays(OPEN),
    ("binary_cross_entropy", 2): _arrays(OPEN),
    ("binary_cross_entropy_logits", 2): _arrays(OPEN),
    ("mse", 2): _arrays(OPEN),
    ("half_sse", 2): _arrays(OPEN),
    ("mae", 2): _arrays(OPEN),
    ("huber", 2): _arrays(OPEN),
    ("kl", 2): _arrays(OPEN),
    ("linear", 3): _arrays(OPEN),
    ("dropout", 2): _arrays(OPEN),
    ("batchnorm", 3): _arrays(OPEN),
    ("layernorm", 3): _arrays(OPEN),
    ("rmsnorm", 2): _arrays(OPEN),
    ("attention", 3): _arrays(OPEN),
    ("attention", 4): _arrays(OPEN),
}
# fmt: on
"""By name and number of arguments."""


def spelling(name: str, count: int, language: Language) -> Spelling:
    """How a row is written; a row that takes any number of arguments stands under 1."""
    row = SPELLINGS.get((name, count)) or SPELLINGS.get((name, 1))
    return None if row is None else getattr(row, language)
