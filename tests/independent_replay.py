"""Wrong backpropagation over layered nets, written a second time in the plainest way: an oracle for the table of
habits.

Nothing of Backhand is imported. A net is a dict: inputs `x`, a list of weight matrices `W` (W[k][j][i] leads from unit
i of layer k to unit j of layer k+1), a target `t`; the last layer is one unit D, and L = (D - t)^2. Units are named A1,
A2, B1, ... by layer, weights `w[A1,B1]`. `numbers(net, habit)` is what somebody with that habit of the catalogue writes
down: values by name, derivatives as `d` + name. A number that does not exist is None.
"""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

LETTERS = "ABCEFGH"


def draw_net(seed, sizes=(2, 2, 2, 1), weights=3, inputs=2, target=3):
    draw = random.Random(seed)
    return {
        "x": [Fraction(draw.randint(-inputs, inputs)) for _ in range(sizes[0])],
        "W": [
            [[Fraction(draw.randint(-weights, weights)) for _ in range(a)] for _ in range(b)]
            for a, b in pairwise(sizes)
        ],
        "t": Fraction(draw.randint(-target, target)),
    }


def unit(net, k, i):
    return "D" if k == len(net["W"]) else f"{LETTERS[k]}{i + 1}"


def text(net):
    """The net in the notation that Backhand reads."""
    lines = ["input " + ", ".join(f"{unit(net, 0, i)} = {x}" for i, x in enumerate(net["x"])), f"target t = {net['t']}"]
    for k, matrix in enumerate(net["W"]):
        for j, row in enumerate(matrix):
            lines += [f"{unit(net, k, i)} -> {unit(net, k + 1, j)} : {w}" for i, w in enumerate(row)]
    return "\n".join([*lines, "L = (D - t)^2"])


def square(matrix):
    return len(matrix) == len(matrix[0]) and len(matrix) > 1


def turn(matrix):
    return [list(column) for column in zip(*matrix, strict=True)] if square(matrix) else matrix


def forward(net, habit):
    a = [list(net["x"])]
    skipped = False
    for k, matrix in enumerate(net["W"]):
        used = turn(matrix) if habit in ("X2", "X3") else matrix
        source = a[k]
        if habit == "F9" and k == 1 and len(a[0]) >= len(a[1]) and not skipped:
            source, skipped = a[0], True
        new = []
        for row in used:
            tails = list(source)
            if habit == "F10":
                for i in range(min(len(new), len(tails))):
                    tails[i] = new[i]
            new.append(sum(w * v for w, v in zip(row, tails, strict=False)))
        a.append(new)
    D, t = a[-1][0], net["t"]
    L = {
        "F1": D - t,
        "F2": D - t,
        "F3": D * D - t,
        "F4": D * D - t * t,
        "F5": (D + t) ** 2,
        "F6": (D - t) ** 2 / Fraction(2),
        "F7": 2 * (D - t),
        "F8": -((D - t) ** 2),
    }.get(habit, (D - t) ** 2)
    return a, L


def last_slope(D, t, L, habit):
    return {
        "N1": D - t,
        "N2": 2 * D,
        "N3": 2 * (t - D),
        "N4": 2 * (D - t) ** 2,
        "N5": Fraction(2),
        "N6": L * 2 * (D - t),
        "N7": L,
        "N8": D,
        "N9": Fraction(1),
        "N10": 2 * (D - t) * (1 - t),
        "N11": -2 * (D - t) * t,
        "N12": 2 * D - t,
        "N13": (D - t) ** 3 / Fraction(3),
        "F2": Fraction(1),
        "F5": 2 * (D + t),
        "F6": D - t,
        "V1": 4 * (D - t),
        "V1b": 4 * (D - t),
    }.get(habit, 2 * (D - t))


def slope_of(habit, w, x, c):
    """The local derivative of c = w x + ... by x, as written."""
    if habit == "E6":
        return None if w == 0 else 1 / w
    return {
        "E1": Fraction(1),
        "E2": x,
        "E3": c,
        "E4": w * x,
        "E5": abs(w),
        "E8": -w,
        "E9": w or Fraction(1),
        "E10": w * w,
    }.get(habit, w)


def combine(habit, i, parts, weights):
    """parts[j] came from child j; more than one child."""
    js = range(len(parts))
    match habit:
        case "P1":
            return parts[min(js, key=lambda j: (abs(j - i), j))]
        case "P2":
            others = [parts[j] for j in js if j != i]
            return sum(others) if others else sum(parts)
        case "P3":
            return parts[0]
        case "P4":
            return parts[-1]
        case "P5":
            return max(parts, key=abs)
        case "P6":
            return min(parts, key=abs)
        case "P7":
            return sum(parts) / Fraction(len(parts))
        case "P8":
            result = Fraction(1)
            for part in parts:
                result *= part
            return result
        case "P9":
            return parts[0] - sum(parts[1:])
        case "P10":
            return sum((p for p, w in zip(parts, weights, strict=True) if w >= 0), Fraction(0))
        case "P11":
            return parts[max(js, key=lambda j: weights[j])]
    return sum(parts, Fraction(0))


def backward(net, a, L, habit):
    layers = len(net["W"])
    first = None if habit != "V1b" else backward(net, a, L, "")
    g = {layers: [last_slope(a[-1][0], net["t"], L, habit)]}
    for k in range(layers - 1, -1, -1):
        matrix = net["W"][k]
        used = turn(matrix) if habit in ("X1", "X3") else matrix
        g[k] = []
        for i in range(len(matrix[0])):
            parts, weights, missing = [], [], False
            for j in range(len(matrix)):
                w, up = used[j][i], g[k + 1][j]
                if habit == "U1":
                    up = Fraction(1)
                elif habit == "U2":
                    up = g[layers][0]
                elif habit == "U3":
                    up = g[k + 1][(j + 1) % len(matrix)]
                elif habit == "U6" and k + 1 < layers:
                    up = up * g[layers][0]
                if up is None:
                    continue
                if habit == "U4":
                    w = w - Fraction(1, 10) * up * a[k][i]
                slope = slope_of(habit, w, a[k][i], a[k + 1][j])
                if slope is None:
                    missing = True
                    continue
                parts.append(up + slope if habit == "E7" else up * slope)
                weights.append(w)
            if missing:
                g[k].append(None)
                continue
            total = combine(habit, i, parts, weights) if len(parts) > 1 else sum(parts, Fraction(0))
            x = a[k][i]
            if habit == "U5":
                total = Fraction(0)
            elif habit == "V2":
                total += 1
            elif habit == "V1b":
                total += first[k][i]
            elif habit == "R1":
                total *= x
            elif habit == "R2":
                total = x - total
            elif habit == "R3":
                total = -total
            g[k].append(total)
    return g


def weight_slope(net, a, g, habit, place):
    k, j, i = place
    layers = len(net["W"])
    up, x = g[k + 1][j], a[k][i]
    match habit:
        case "U1":
            up = Fraction(1)
        case "U2":
            up = g[layers][0]
        case "U3":
            up = g[k + 1][(j + 1) % len(g[k + 1])]
        case "U6" if k + 1 < layers:
            up = up * g[layers][0]
        case "W1":
            x = Fraction(1)
        case "W2":
            x = a[k + 1][j]
        case "W3":
            x = net["W"][k][j][i]
        case "W4":
            up = Fraction(1)
        case "W5" if square(net["W"][k]):
            up, x = g[k + 1][i], a[k][j]
        case "W6":
            up = g[k][i]
        case "W7":
            up = sum(g[k + 1])
        case "W8":
            up = g[layers][0]
    return Fraction(0) if up is None else up * x


def numbers(net, habit=""):
    a, L = forward(net, habit)
    g = backward(net, a, L, habit)
    found = {"L": L}
    for k, row in enumerate(a):
        for i, value in enumerate(row):
            if k:
                found[unit(net, k, i)] = value
            found["d" + unit(net, k, i)] = g[k][i]
    first = backward(net, a, L, "") if habit == "V1b" else None
    for k, matrix in enumerate(net["W"]):
        for j, row in enumerate(matrix):
            for i in range(len(row)):
                slope = weight_slope(net, a, g, habit, (k, j, i))
                if first is not None:
                    slope += weight_slope(net, a, first, "", (k, j, i))
                found[f"dw[{unit(net, k, i)},{unit(net, k + 1, j)}]"] = slope
    return found


HABITS = (
    "P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 U1 U2 U3 U4 U5 U6 V1 V1b V2 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 X1 X2 X3 "
    "N1 N2 N3 N4 N5 N6 N7 N8 N9 N10 N11 N12 N13 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 R1 R2 R3 W1 W2 W3 W4 W5 W6 W7 W8"
).split()
