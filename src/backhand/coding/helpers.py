"""Functions that generated code brings along where a language has none of its own: a text each, used as it stands.

Each does what the row of its name says, without overflow and without lost digits: sigmoid, softplus and
softmax never take exp of a large number. A program gets those that it calls, and those that they call.
"""

from __future__ import annotations

import re
from functools import cache

ARRAYS = {
    "sigmoid": '''
def sigmoid(z):
    """1 / (1 + exp(-z)); exp is only taken of numbers below 0."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)
''',
    "leaky_relu": '''
def leaky_relu(z, slope=0.01):
    """The number itself above 0, slope times the number below."""
    return np.where(z > 0, z, slope * z)
''',
    "elu": '''
def elu(z, scale=1.0):
    """The number itself above 0, scale * (exp(z) - 1) below."""
    return np.where(z > 0, z, scale * np.expm1(np.minimum(z, 0.0)))
''',
    "gelu": '''
def gelu(z):
    """The number times the probability that a normal variable is below it."""
    return z * erfc(-z / np.sqrt(2.0)) / 2.0
''',
    "silu": '''
def silu(z):
    """The number times its sigmoid."""
    return z * sigmoid(z)
''',
    "erf": '''
def erf(z):
    """The error function, element by element."""
    return np.vectorize(math.erf, otypes=[float])(z)
''',
    "erfc": '''
def erfc(z):
    """1 - erf(z), with all digits where that is small."""
    return np.vectorize(math.erfc, otypes=[float])(z)
''',
    "softmax": '''
def softmax(z, axis=-1):
    """exp(z) over its sum; taking away the largest z first only keeps exp in range."""
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    "log_softmax": '''
def log_softmax(z, axis=-1):
    """The logarithm of softmax, without the detour that loses digits."""
    z = z - np.max(z, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))
''',
    "masked_softmax": '''
def masked_softmax(z, mask, axis=-1):
    """softmax over the places where the mask is 1."""
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True)) * mask
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    "largest": '''
def largest(x, axis=None):
    """1 where x is largest; equal ones share it."""
    here = 1.0 * (x == np.max(x, axis=axis, keepdims=True))
    return here / np.sum(here, axis=axis, keepdims=True)
''',
    "smallest": '''
def smallest(x, axis=None):
    """1 where x is smallest; equal ones share it."""
    here = 1.0 * (x == np.min(x, axis=axis, keepdims=True))
    return here / np.sum(here, axis=axis, keepdims=True)
''',
    "place": '''
def place(x, where, shape):
    """Zeros, with x in its places."""
    made = np.zeros(shape)
    made[where] = x
    return made
''',
    "scatter": '''
def scatter(x, rows, shape):
    """Zeros, with each x added to its row."""
    made = np.zeros(shape)
    np.add.at(made, np.asarray(rows, dtype=int), x)
    return made
''',
    "made_up": '''
def made_up(shape, seed=0, scale=1.0):
    """Made-up numbers between -scale and scale, the same on any machine."""
    return np.random.RandomState(seed).randint(-1000, 1001, shape) * (scale / 1000)
''',
    "along": '''
def along(length, size, stride, padding, dilation):
    """Along one axis: for each window the places that it covers."""
    count = (length + 2 * padding - dilation * (size - 1) - 1) // stride + 1
    return stride * np.arange(count)[:, None] + dilation * np.arange(size)
''',
    "unfold": '''
def unfold(x, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The windows of x, the elements of each in one row."""
    axes = len(size)
    places = [along(*each) for each in zip(x.shape[-axes:], size, stride, padding, dilation)]
    x = np.pad(x, [(0, 0)] * (x.ndim - axes) + [(edge, edge) for edge in padding[:axes]])
    if axes == 1:
        return x[..., places[0]]
    down, across = places
    seen = x[..., down[:, None, :, None], across[None, :, None, :]]
    return seen.reshape(*seen.shape[:-2], -1)
''',
    "fold": '''
def fold(windows, shape, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The way back through unfold: each window is added to the places that it covered."""
    axes = len(size)
    places = [along(*each) for each in zip(shape[-axes:], size, stride, padding, dilation)]
    edges = [0] * (len(shape) - axes) + list(padding[:axes])
    made = np.zeros([length + 2 * edge for length, edge in zip(shape, edges)])
    if axes == 1:
        np.add.at(made, (..., places[0]), windows)
    else:
        down, across = places
        counts = (len(down), len(across), *size)
        windows = windows.reshape(*windows.shape[:-3], *counts)
        np.add.at(made, (..., down[:, None, :, None], across[None, :, None, :]), windows)
    return made[tuple(slice(edge, edge + length) for length, edge in zip(shape, edges))]
''',
    "convolve": '''
def convolve(x, kernel, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The kernel slid over x: at each place the sum of what it covers times the kernel."""
    axes = 2 - kernel.ndim % 2
    seen = unfold(x, kernel.shape[-axes:], stride, padding, dilation)
    if kernel.ndim == axes:
        return seen @ kernel.reshape(-1)
    flat = kernel.reshape(*kernel.shape[:2], -1)
    return np.einsum("...cik,ock->...oi" if axes == 1 else "...cijk,ock->...oij", seen, flat)
''',
    "convolve_back_image": '''
def convolve_back_image(g, kernel, shape, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """What comes back to the image: each output sends g times the kernel to what it saw."""
    axes = 2 - kernel.ndim % 2
    if kernel.ndim == axes:
        sent = g[..., None] * kernel.reshape(-1)
    else:
        flat = kernel.reshape(*kernel.shape[:2], -1)
        sent = np.einsum("...oi,ock->...cik" if axes == 1 else "...oij,ock->...cijk", g, flat)
    return fold(sent, shape, kernel.shape[-axes:], stride, padding, dilation)
''',
    "convolve_back_kernel": '''
def convolve_back_kernel(g, x, shape, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """What comes back to the kernel: the sum over all places of g times what was seen there."""
    axes = 2 - len(shape) % 2
    seen = unfold(x, shape[-axes:], stride, padding, dilation)
    own = axes + (len(shape) > axes)
    g, seen = g.reshape(-1, *g.shape[-own:]), seen.reshape(-1, *seen.shape[-own - 1 :])
    if len(shape) == axes:
        found = np.einsum("ni,nik->k" if axes == 1 else "nij,nijk->k", g, seen)
    else:
        found = np.einsum("noi,ncik->ock" if axes == 1 else "noij,ncijk->ock", g, seen)
    return found.reshape(shape)
''',
}

JAX = {
    **{
        name: text.replace("np.", "jnp.")
        for name, text in ARRAYS.items()
        if name not in ("sigmoid", "elu", "silu", "erf", "erfc", "gelu", "softmax", "log_softmax", "place", "scatter")
    },
    "made_up": ARRAYS["made_up"],
    "elu": '''
def elu(z, scale=1.0):
    """The number itself above 0, scale * (exp(z) - 1) below."""
    return jnp.where(z > 0, z, scale * jnp.expm1(jnp.minimum(z, 0.0)))
''',
    "gelu": '''
def gelu(z):
    """The number times the probability that a normal variable is below it."""
    return z * jax.scipy.special.erfc(-z / math.sqrt(2.0)) / 2.0
''',
    "scatter": '''
def scatter(x, rows, shape):
    """Zeros, with each x added to its row."""
    return jnp.zeros(shape).at[jnp.asarray(rows, dtype=int)].add(x)
''',
    "fold": '''
def fold(windows, shape, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The way back through unfold: each window is added to the places that it covered."""
    axes = len(size)
    places = [along(*each) for each in zip(shape[-axes:], size, stride, padding, dilation)]
    edges = [0] * (len(shape) - axes) + list(padding[:axes])
    made = jnp.zeros([length + 2 * edge for length, edge in zip(shape, edges)])
    if axes == 1:
        made = made.at[..., places[0]].add(windows)
    else:
        down, across = places
        counts = (len(down), len(across), *size)
        windows = windows.reshape(*windows.shape[:-3], *counts)
        made = made.at[..., down[:, None, :, None], across[None, :, None, :]].add(windows)
    return made[tuple(slice(edge, edge + length) for length, edge in zip(shape, edges))]
''',
}


def _torch(text: str) -> str:
    """What is alike in both but for names."""
    text = text.replace("np.", "torch.").replace("axis=axis, keepdims=True", "dim=axis, keepdim=True")
    return text.replace("torch.max(", "torch.amax(")


TORCH = {
    **{
        name: _torch(ARRAYS[name])
        for name in ("leaky_relu", "masked_softmax", "along", "convolve", "convolve_back_image", "convolve_back_kernel")
    },
    "place": ARRAYS["place"].replace("np.", "torch."),
    "made_up": ARRAYS["made_up"],
    "elu": '''
def elu(z, scale=1.0):
    """The number itself above 0, scale * (exp(z) - 1) below."""
    return torch.where(z > 0, z, scale * torch.expm1(torch.clamp(z, max=0.0)))
''',
    "softplus": '''
def softplus(z):
    """ln(1 + exp(z)); exp is only taken of numbers below 0."""
    return torch.logaddexp(z, torch.zeros_like(z))
''',
    "gelu": '''
def gelu(z):
    """The number times the probability that a normal variable is below it."""
    return z * torch.special.erfc(-z / math.sqrt(2.0)) / 2.0
''',
    "largest": '''
def largest(x, axis=None):
    """1 where x is largest; equal ones share it."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    here = 1.0 * (x == torch.amax(x, dim=axis, keepdim=True))
    return here / torch.sum(here, dim=axis, keepdim=True)
''',
    "smallest": '''
def smallest(x, axis=None):
    """1 where x is smallest; equal ones share it."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    here = 1.0 * (x == torch.amin(x, dim=axis, keepdim=True))
    return here / torch.sum(here, dim=axis, keepdim=True)
''',
    "scatter": '''
def scatter(x, rows, shape):
    """Zeros, with each x added to its row."""
    return torch.zeros(shape).index_put((rows.long(),), x, accumulate=True)
''',
    "unfold": '''
def unfold(x, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The windows of x, the elements of each in one row."""
    axes = len(size)
    places = [along(*each) for each in zip(x.shape[-axes:], size, stride, padding, dilation)]
    edges = [edge for each in reversed(padding[:axes]) for edge in (each, each)]
    x = torch.nn.functional.pad(x, edges)
    if axes == 1:
        return x[..., places[0]]
    down, across = places
    seen = x[..., down[:, None, :, None], across[None, :, None, :]]
    return seen.reshape(*seen.shape[:-2], -1)
''',
    "fold": '''
def fold(windows, shape, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """The way back through unfold: each window is added to the places that it covered."""
    axes = len(size)
    places = [along(*each) for each in zip(shape[-axes:], size, stride, padding, dilation)]
    lengths = [length + 2 * edge for length, edge in zip(shape[-axes:], padding)]
    if axes == 1:
        flat = places[0]
    else:
        down, across = places
        flat = down[:, None, :, None] * lengths[1] + across[None, :, None, :]
    front = shape[:-axes]
    made = torch.zeros(*front, math.prod(lengths))
    made.index_add_(-1, flat.reshape(-1), windows.reshape(*front, -1))
    inside = [slice(edge, edge + length) for length, edge in zip(shape[-axes:], padding)]
    return made.reshape(*front, *lengths)[(..., *inside)]
''',
}

PYTHON = {
    "sigmoid": '''
def sigmoid(z):
    """1 / (1 + exp(-z)); exp is only taken of numbers below 0."""
    small = math.exp(-abs(z))
    return (1.0 if z >= 0 else small) / (1.0 + small)
''',
    "relu": '''
def relu(z):
    """The number itself above 0, else 0."""
    return max(z, 0.0)
''',
    "leaky_relu": '''
def leaky_relu(z, slope=0.01):
    """The number itself above 0, slope times the number below."""
    return z if z > 0 else slope * z
''',
    "elu": '''
def elu(z, scale=1.0):
    """The number itself above 0, scale * (exp(z) - 1) below."""
    return z if z > 0 else scale * math.expm1(z)
''',
    "softplus": '''
def softplus(z):
    """ln(1 + exp(z)); exp is only taken of numbers below 0."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))
''',
    "gelu": '''
def gelu(z):
    """The number times the probability that a normal variable is below it."""
    return z * math.erfc(-z / math.sqrt(2.0)) / 2.0
''',
    "silu": '''
def silu(z):
    """The number times its sigmoid."""
    return z * sigmoid(z)
''',
    "sign": '''
def sign(z):
    """1 above 0, -1 below, 0 at 0."""
    return float((z > 0) - (z < 0))
''',
    "step": '''
def step(z):
    """1 above 0, else 0."""
    return 1.0 if z > 0 else 0.0
''',
}

C = {
    "sigmoid": """
/* 1 / (1 + exp(-z)); exp is only taken of numbers below 0. */
static double sigmoid(double z)
{
    const double small = exp(-fabs(z));
    return (z >= 0 ? 1.0 : small) / (1.0 + small);
}
""",
    "leaky_relu": """
/* The number itself above 0, slope times the number below. */
static double leaky_relu(double z, double slope)
{
    return z > 0 ? z : slope * z;
}
""",
    "elu": """
/* The number itself above 0, scale * (exp(z) - 1) below. */
static double elu(double z, double scale)
{
    return z > 0 ? z : scale * expm1(z);
}
""",
    "softplus": """
/* ln(1 + exp(z)); exp is only taken of numbers below 0. */
static double softplus(double z)
{
    return fmax(z, 0.0) + log1p(exp(-fabs(z)));
}
""",
    "gelu": """
/* The number times the probability that a normal variable is below it. */
static double gelu(double z)
{
    return z * erfc(-z / sqrt(2.0)) / 2.0;
}
""",
    "silu": """
/* The number times its sigmoid. */
static double silu(double z)
{
    return z * sigmoid(z);
}
""",
    "sign": """
/* 1 above 0, -1 below, 0 at 0. */
static double sign(double z)
{
    return (z > 0) - (z < 0);
}
""",
    "step": """
/* 1 above 0, else 0. */
static double step(double z)
{
    return z > 0 ? 1.0 : 0.0;
}
""",
}

HELPERS: dict[str, dict[str, str]] = {"numpy": ARRAYS, "jax": JAX, "torch": TORCH, "python": PYTHON, "c": C}


@cache
def _calls(language: str, name: str) -> tuple[str, ...]:
    """The helpers that a helper calls."""
    text = HELPERS[language][name]
    return tuple(n for n in HELPERS[language] if n != name and re.search(rf"\b{n}\(", text))


def needed(language: str, used: frozenset[str]) -> list[str]:
    """The texts of the helpers that are used, with those that they use, each after what it calls."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        for other in _calls(language, name):
            if other not in found:
                add(other)
        found[name] = None

    for name in HELPERS[language]:
        if name in used:
            add(name)
    return [HELPERS[language][name].strip("\n") for name in found]
