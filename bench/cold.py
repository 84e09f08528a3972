"""The whole process, from nothing: `python -m backhand solve` of a page-size net against a bare interpreter.

Beside it, programs that compute the numbers alone, for the same net, and print them: by hand, and with other
libraries. They show no working. All processes run in turn, each writing into a pipe; medians.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from common import ROOT, Different, environment, installed, same, save, skipped, table, title

NET = "examples/q3.bh"
UNITS = ["D", "C1", "C2", "B1", "B2", "A1", "A2"]
WEIGHTS = ["A1,B1", "A2,B1", "A1,B2", "A2,B2", "B1,C1", "B2,C1", "B1,C2", "B2,C2", "C1,D", "C2,D"]
TOLERANCE = 1e-9

GIVEN = "W = [-2., 1., 1., 2., 1., -2., -1., 0., 1., -1.]\n"
FORWARD = """
def net(A1, A2, w, keep=lambda v: v):
    B1 = keep(w[0]*A1 + w[1]*A2); B2 = keep(w[2]*A1 + w[3]*A2)
    C1 = keep(w[4]*B1 + w[5]*B2); C2 = keep(w[6]*B1 + w[7]*B2)
    D = keep(w[8]*C1 + w[9]*C2)
    return (D - 3)**2, [D, C1, C2, B1, B2, A1, A2]
"""
# For libraries that only differentiate by arguments: a zero is added to each unit, to differentiate by that.
SHIFTED = """
def loss(p):
    D, C1, C2, B1, B2, A1, A2 = [p[k] for k in range(7)]; w = [p[k] for k in range(7, 17)]
    A1 = A1 - 1; A2 = A2 + 1
    B1 = B1 + w[0]*A1 + w[1]*A2; B2 = B2 + w[2]*A1 + w[3]*A2
    C1 = C1 + w[4]*B1 + w[5]*B2; C2 = C2 + w[6]*B1 + w[7]*B2
    D = D + w[8]*C1 + w[9]*C2
    return (D - 3)**2
"""
OUT = "print(*map(float, out))\n"

BARE = "python -c pass"
OURS = "backhand solve, whole working"
PROGRAMS: dict[str, tuple[str, str]] = {
    "by hand, plain Python": ("", GIVEN + FORWARD + """
L, (D, C1, C2, B1, B2, A1, A2) = net(-1., 1., W)
dD = 2*(D - 3); dC1 = dD*W[8]; dC2 = dD*W[9]
dB1 = dC1*W[4] + dC2*W[6]; dB2 = dC1*W[5] + dC2*W[7]
dA1 = dB1*W[0] + dB2*W[2]; dA2 = dB1*W[1] + dB2*W[3]
out = [L, dD, dC1, dC2, dB1, dB2, dA1, dA2]
out += [dB1*A1, dB1*A2, dB2*A1, dB2*A2, dC1*B1, dC1*B2, dC2*B1, dC2*B2, dD*C1, dD*C2]
""" + OUT),
    "micrograd": ("micrograd", "from micrograd.engine import Value\n" + GIVEN + FORWARD + """
w = [Value(x) for x in W]
L, units = net(Value(-1.), Value(1.), w)
L.backward()
out = [L.data] + [v.grad for v in units + w]
""" + OUT),
    "autograd": ("autograd", "import autograd, autograd.numpy as np\n" + GIVEN + SHIFTED + """
L, g = autograd.value_and_grad(loss)(np.array([0.]*7 + W))
out = [L, *g]
""" + OUT),
    "casadi": ("casadi", "import casadi as c\n" + GIVEN + SHIFTED + """
p = c.SX.sym('p', 17); L = loss(p)
L, g = c.Function('F', [p], [L, c.gradient(L, p)])(c.DM([0.]*7 + W))
out = [L] + [g[k] for k in range(17)]
""" + OUT),
    "symengine": ("symengine", "import symengine as s\n" + GIVEN + SHIFTED + """
p = s.symbols('p0:17'); L = loss(p); at = dict(zip(p, [0]*7 + W))
out = [L.subs(at)] + [L.diff(x).subs(at) for x in p]
""" + OUT),
    "sympy": ("sympy", "import sympy as s\n" + GIVEN + SHIFTED + """
p = s.symbols('p0:17'); L = loss(p); at = dict(zip(p, [0]*7 + W))
out = [L.subs(at)] + [s.diff(L, x).subs(at) for x in p]
""" + OUT),
    "jax, jit": ("jax", "import jax, numpy as np\n" + GIVEN + SHIFTED + """
jax.config.update('jax_enable_x64', True)
L, g = jax.jit(jax.value_and_grad(loss))(np.array([0.]*7 + W))
out = [L, *np.asarray(g)]
""" + OUT),
    "torch": ("torch", "import torch\n" + GIVEN + FORWARD + """
def leaf(x): return torch.tensor(x, dtype=torch.float64, requires_grad=True)
def keep(v): v.retain_grad(); return v
w = [leaf(x) for x in W]
L, units = net(leaf(-1.), leaf(1.), w, keep)
L.backward()
out = [L.item()] + [v.grad for v in units + w]
""" + OUT),
}  # fmt: skip


class Process(NamedTuple):
    wall: float
    cpu: float
    out: bytes


def process(command: list[str]) -> Process:
    """One process from start to end, its output read through a pipe."""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
    assert child.stdout is not None
    out = child.stdout.read()
    child.stdout.close()
    if hasattr(os, "wait4"):
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
    else:
        child.wait()
        cpu = float("nan")
    wall = time.perf_counter() - start
    if child.returncode:
        raise Different(f"status {child.returncode} from {' '.join(command)[:200]}")
    return Process(wall, cpu, out)


def main(*, full: bool) -> None:
    title(f"cold: the whole process, {NET}, written into a pipe")
    python = sys.executable
    ours = [python, "-m", "backhand", "solve", NET]
    commands = {BARE: [python, "-c", "pass"], OURS: ours}
    found = json.loads(process([*ours, "--format", "json"]).out)
    by = found["derivatives"]["L"]
    numbers = [found["values"]["L"], *(by[name] for name in UNITS), *(by[f"w[{name}]"] for name in WEIGHTS)]
    for name, (module, code) in PROGRAMS.items():
        if module and not installed(module):
            skipped(name)
            continue
        command = [python, "-c", code]
        same(name, [float(x) for x in process(command).out.split()], numbers, TOLERANCE)
        commands[name] = command
    process(ours)  # the text way, too, has its byte code now

    most = 41 if full else 21
    slow = 11  # for those that take more than half a second
    taken: dict[str, list[Process]] = {name: [] for name in commands}
    for _ in range(most):
        for name, command in commands.items():
            done = taken[name]
            if len(done) < slow or statistics.median(p.wall for p in done) < 0.5:
                done.append(process(command))
    wall = {name: statistics.median(p.wall for p in done) for name, done in taken.items()}
    cpu = {name: statistics.median(p.cpu for p in done) for name, done in taken.items()}
    print(f"  All print the same {len(numbers)} numbers (tolerance {TOLERANCE:.0e}); {most} runs in turn, medians.")
    rows = [
        (
            name,
            wall[name] * 1e3,
            cpu[name] * 1e3,
            wall[name] / wall[BARE],
            cpu[name] / cpu[BARE],
            wall[name] / wall[OURS],
        )
        for name in sorted(wall, key=lambda name: wall[name])
    ]
    table(["", "wall ms", "cpu ms", "x bare", "x bare, cpu", "x backhand"], rows)
    save("cold", {"wall": wall, "cpu": cpu, "runs": most, "over bare": wall[OURS] / wall[BARE]})
