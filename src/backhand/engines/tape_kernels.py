"""The loops of the tape, compiled by numba once and kept on disk.

Node i is a function of one sum of `weight x value` over its edges, or of two (the first half of its edges and the second).
Edges lie in the order of their nodes, so a node's are `start[i]` to `start[i + 1]`. Indices are unsigned: numba asks of
signed ones whether they count from the end, which costs a third of the time.

What a slope needs besides the value, the sums themselves, lies on a stack: the way forward fills it, the way back reads it
from its end.

A segment is a run of nodes. A dense one has nodes of one function that each read one range of nodes, and perhaps one node
more, the bias: its weights are a matrix as they lie, and no index is looked at. A row of `segments` is

    dense or not, first node, node past the last, first source, sources, edges a node, bias node or -1, place on the stack

and where there is a bias, its edge comes before the range where `shift` says so, or behind it.
"""
# pyright: basic, reportMissingImports=false, reportCallIssue=false, reportPrivateImportUsage=false
# ruff: noqa: D403, E501, PLR0917, SIM110 - loops as a compiler for numbers wants them

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, cfunc, njit, types

from backhand.engines.intrinsics import added, address, bytes_at, integers, sources_at, starts_at, stream_times

FUNCTIONS = (
    "input", "sum", "square", "tanh", "exp", "sigmoid", "relu", "ln", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "erf", "leaky_relu", "elu", "softplus", "gelu", "silu", "abs", "sign", "step", "log2", "log10",
    "reciprocal", "unused",
    "product", "quotient", "max", "min", "leaky_relu_2", "elu_2", "general_power",
)  # fmt: skip
"""What a node may be, by code. Those from `product` on are functions of two sums."""

CODES = {name: code for code, name in enumerate(FUNCTIONS)}
TWO = CODES["product"]
NARROW = 12
"""Edges a node from which on a dense block is faster than edge by edge."""

OPTIONS: dict[str, Any] = {"error_model": "numpy", "cache": True, "nogil": True, "fastmath": {"contract", "nsz"}}
ANY_ORDER: dict[str, Any] = OPTIONS | {"fastmath": {"reassoc", "contract", "nsz"}}
"""For sums over many neighbours: the compiler may add in any order, eight at once. For sums over few edges here and there
that costs more than it brings. Infinities and nan stay what they are."""


@njit(**OPTIONS)
def sigmoid(z):
    """exp is only taken of numbers below 0."""
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    small = math.exp(z)
    return small / (1.0 + small)


@njit(**OPTIONS)
def sign(z):
    return z if z != z else 1.0 * (z > 0) - 1.0 * (z < 0)


@njit(**OPTIONS)
def value_1(code, z):
    """A function of one sum."""
    if code == 1:
        return z
    if code == 3:
        return math.tanh(z)
    if code == 5:
        small = math.exp(-abs(z))
        return (1.0 if z >= 0 else small) / (1.0 + small)
    if code == 4:
        return math.exp(z)
    if code == 2:
        return z * z
    if code == 6:
        return z if z > 0 or z != z else 0.0
    return rare_1(code, z)


@njit(**OPTIONS)
def rare_1(code, z):
    """The functions that are met less often."""
    if code == 7:
        return math.log(z) if z > 0 else (-math.inf if z == 0 else math.nan)
    if code == 8:
        return math.sqrt(z) if z >= 0 else math.nan
    if code == 9:
        return math.sin(z)
    if code == 10:
        return math.cos(z)
    if code == 11:
        return math.tan(z)
    if code == 12:
        return math.asin(z) if abs(z) <= 1 else math.nan
    if code == 13:
        return math.acos(z) if abs(z) <= 1 else math.nan
    if code == 14:
        return math.atan(z)
    if code == 15:
        return math.sinh(z)
    if code == 16:
        return math.cosh(z)
    if code == 17:
        return math.erf(z)
    if code == 18:
        return z if z > 0 else 0.01 * z
    if code == 19:
        return z if z > 0 else math.expm1(z)
    if code == 20:
        return z + math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z))
    if code == 21:
        return z * math.erfc(-z / math.sqrt(2.0)) / 2.0
    if code == 22:
        return z * sigmoid(z)
    if code == 23:
        return abs(z)
    if code == 24:
        return sign(z)
    if code == 25:
        return z if z != z else 1.0 * (z > 0)
    if code == 26:
        return math.log2(z) if z > 0 else (-math.inf if z == 0 else math.nan)
    if code == 27:
        return math.log10(z) if z > 0 else (-math.inf if z == 0 else math.nan)
    return 1.0 / z


@njit(**OPTIONS)
def slope_1(code, z, y):
    """Its slope, from the sum and the value."""
    if code == 1:
        return 1.0
    if code == 3:
        return 1.0 - y * y
    if code == 5:
        return y * (1.0 - y)
    if code == 4:
        return y
    if code == 2:
        return 2.0 * z
    if code == 6:
        return z if z != z else 1.0 * (z > 0)
    return rare_slope_1(code, z, y)


@njit(**OPTIONS)
def rare_slope_1(code, z, y):
    if code == 7:
        return 1.0 / z
    if code == 8:
        return 1.0 / (2.0 * y)
    if code == 9:
        return math.cos(z)
    if code == 10:
        return -math.sin(z)
    if code == 11:
        return 1.0 + y * y
    if code == 12:
        return 1.0 / math.sqrt(1.0 - z * z)
    if code == 13:
        return -1.0 / math.sqrt(1.0 - z * z)
    if code == 14:
        return 1.0 / (1.0 + z * z)
    if code == 15:
        return math.cosh(z)
    if code == 16:
        return math.sinh(z)
    if code == 17:
        return 2.0 * math.exp(-z * z) / math.sqrt(math.pi)
    if code == 18:
        return 1.0 if z > 0 else 0.01
    if code == 19:
        return 1.0 if z > 0 else math.exp(z)
    if code == 20:
        return sigmoid(z)
    if code == 21:
        return math.erfc(-z / math.sqrt(2.0)) / 2.0 + z * math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    if code == 22:
        s = sigmoid(z)
        return s + y * (1.0 - s)
    if code == 23:
        return sign(z)
    if code == 26:
        return 1.0 / (z * math.log(2.0))
    if code == 27:
        return 1.0 / (z * math.log(10.0))
    if code == 28:
        return -y * y
    return 0.0


@njit(**OPTIONS)
def value_2(code, s, t):
    """A function of two sums."""
    if code == TWO:
        return s * t
    if code == 31:
        return s / t
    if code == 32:
        return s + t if s != s or t != t else max(s, t)
    if code == 33:
        return s + t if s != s or t != t else min(s, t)
    if code == 34:
        return s if s > 0 else t * s
    if code == 35:
        return s if s > 0 else t * math.expm1(s)
    return s * s if t == 2.0 else s if t == 1.0 else s**t


@njit(**OPTIONS)
def slopes_2(code, s, t, y):
    """Both its slopes."""
    if code == TWO:
        return t, s
    if code == 31:
        return 1.0 / t, -y / t
    if code == 32:
        d = sign(s - t)
        return (1.0 + d) / 2.0, (1.0 - d) / 2.0
    if code == 33:
        d = sign(s - t)
        return (1.0 - d) / 2.0, (1.0 + d) / 2.0
    if code == 34:
        return (1.0 if s > 0 else t), min(s, 0.0)
    if code == 35:
        return (1.0 if s > 0 else t * math.exp(s)), math.expm1(min(s, 0.0))
    first = 0.0 if t == 0.0 else 1.0 if t == 1.0 else 2.0 * s if t == 2.0 else t * s ** (t - 1.0)
    return first, (y * math.log(s) if s > 0 else (0.0 if s == 0 and t > 0 else math.nan))


@njit(**OPTIONS)
def stacked(code):
    return code == 2 or code >= 6


@njit(**OPTIONS)
def sparse_forward(low, high, codes, start, source, weight, values, stack, top):
    """The values of nodes `low` to `high`."""
    for i in range(np.uint64(low), np.uint64(high)):
        code = codes[i]
        if code == 0:
            continue
        first, last = start[i], start[i + np.uint64(1)]
        s = 0.0
        if code >= TWO:
            middle = (first + last) // np.uint64(2)
            t = 0.0
            for e in range(first, middle):
                s += weight[e] * values[np.uint64(source[e])]
            for e in range(middle, last):
                t += weight[e] * values[np.uint64(source[e])]
            stack[top] = s
            stack[top + np.uint64(1)] = t
            top += np.uint64(2)
            values[i] = s * t if code == TWO else value_2(code, s, t)
            continue
        # four sums, so that none waits for the one before it
        s1 = s2 = s3 = 0.0
        e = first
        while e + np.uint64(4) <= last:
            f, g, h = e + np.uint64(1), e + np.uint64(2), e + np.uint64(3)
            s += weight[e] * values[np.uint64(source[e])]
            s1 += weight[f] * values[np.uint64(source[f])]
            s2 += weight[g] * values[np.uint64(source[g])]
            s3 += weight[h] * values[np.uint64(source[h])]
            e += np.uint64(4)
        while e < last:
            s += weight[e] * values[np.uint64(source[e])]
            e += np.uint64(1)
        s = (s + s1) + (s2 + s3)
        if stacked(code):
            stack[top] = s
            top += np.uint64(1)
        values[i] = value_1(code, s)


@njit(**OPTIONS)
def sparse_backward(low, high, codes, start, source, weight, values, adjoints, stack, top, slopes):
    """What comes back from nodes `low` to `high`, whose sums lie on the stack below `top`. It is compiled twice, with
    `slopes` and with None: a loop that asks each time takes three times as long."""
    for k in range(np.uint64(high - low)):
        i = np.uint64(high) - np.uint64(1) - k
        code = codes[i]
        if code == 0:
            continue
        g = adjoints[i]
        first, last = start[i], start[i + np.uint64(1)]
        if code >= TWO:
            top -= np.uint64(2)
        elif stacked(code):
            top -= np.uint64(1)
        if g == 0.0:
            if slopes is not None:
                slopes[first:last] = 0.0
            continue
        if code >= TWO:
            s, t = stack[top], stack[top + np.uint64(1)]
            middle = (first + last) // np.uint64(2)
            if code == TWO:
                a, b = t, s
            else:
                a, b = slopes_2(code, s, t, values[i])
            back_along(source, weight, values, adjoints, slopes, middle, last, g * b)
            last = middle
            g *= a
        else:
            g *= slope_1(code, stack[top] if stacked(code) else 0.0, values[i])
        back_along(source, weight, values, adjoints, slopes, first, last, g)


@njit(inline="always", **OPTIONS)
def back_along(source, weight, values, adjoints, slopes, first, last, g):
    """What comes back along some edges."""
    for e in range(first, last):
        at = np.uint64(source[e])
        if slopes is not None:
            slopes[e] = g * values[at]
        adjoints[at] += g * weight[e]


@njit(**OPTIONS)
def shares(count, by, part, parts):
    """The part of `count` things that falls to one of `parts`, cut at multiples of `by`."""
    low = count * part // parts // by * by
    return low, count if part + 1 == parts else count * (part + 1) // parts // by * by


@njit(**ANY_ORDER)
def dense_forward(row, part, parts, codes, start, weight, values, stack):
    """The values of one part of the nodes of a dense segment, four at a time."""
    low, wide, degree, bias, shift, place = row[1], row[4], row[5], row[6], row[7], row[8]
    x = values[row[3] : row[3] + wide]
    origin = np.int64(start[low])
    first, last = shares(row[2] - low, 4, part, parts)
    p = origin + shift + first * degree
    i = first
    while i + 4 <= last:
        a, b = weight[p : p + wide], weight[p + degree : p + degree + wide]
        c, d = weight[p + 2 * degree : p + 2 * degree + wide], weight[p + 3 * degree : p + 3 * degree + wide]
        s0 = s1 = s2 = s3 = 0.0
        for j in range(wide):
            v = x[j]
            s0 += a[j] * v
            s1 += b[j] * v
            s2 += c[j] * v
            s3 += d[j] * v
        o = low + i
        values[o], values[o + 1], values[o + 2], values[o + 3] = s0, s1, s2, s3
        i += 4
        p += 4 * degree
    while i < last:
        a = weight[p : p + wide]
        s0 = 0.0
        for j in range(wide):
            s0 += a[j] * x[j]
        values[low + i] = s0
        i += 1
        p += degree
    if bias >= 0:
        e = origin + (0 if shift else wide)
        for i in range(first, last):
            values[low + i] += weight[e + i * degree] * values[bias]
    code = codes[low]
    if stacked(code):
        for i in range(first, last):
            stack[place + i] = values[low + i]
    if code != 1:
        for i in range(first, last):
            values[low + i] = value_1(code, values[low + i])


@njit(**OPTIONS)
def dense_sums(row, codes, start, weight, values, adjoints, stack, slopes, back):
    """`back`: derivatives by the sums of a dense segment. And what goes along the edges from the bias."""
    low, high, wide, degree, bias, shift, place = row[1], row[2], row[4], row[5], row[6], row[7], row[8]
    code = codes[low]
    e = np.int64(start[low]) + (0 if shift else wide)
    for i in range(high - low):
        g = adjoints[low + i]
        back[i] = g * slope_1(code, stack[place + i] if stacked(code) else 0.0, values[low + i]) if g != 0.0 else 0.0
    if bias >= 0:
        for i in range(high - low):
            if back[i] != 0.0:
                adjoints[bias] += back[i] * weight[e + i * degree]
            if slopes.shape[0] > 0:
                slopes[e + i * degree] = back[i] * values[bias] if back[i] != 0.0 else 0.0


@njit(**ANY_ORDER)
def dense_backward(row, part, parts, start, weight, values, adjoints, slopes, past, back):
    """What comes back to one part of the sources of a dense segment, from four nodes at a time; and the derivatives by
    their weights. Nothing goes back from a node by which the derivative is 0, whatever the weights and values are."""
    rows, degree = row[2] - row[1], row[5]
    left, right = shares(row[4], 8, part, parts)
    wide = right - left
    sent = adjoints[row[3] + left : row[3] + right]
    x = values[row[3] + left : row[3] + right]
    p = np.int64(start[row[1]]) + row[7] + left
    expanded = slopes.shape[0] > 0
    i = 0
    while i < rows:
        g0 = back[i]
        if i + 4 <= rows and g0 != 0.0 and back[i + 1] != 0.0 and back[i + 2] != 0.0 and back[i + 3] != 0.0:
            g1, g2, g3 = back[i + 1], back[i + 2], back[i + 3]
            q, r, s = p + degree, p + 2 * degree, p + 3 * degree
            a, b, c, d = weight[p : p + wide], weight[q : q + wide], weight[r : r + wide], weight[s : s + wide]
            for j in range(wide):
                sent[j] += g0 * a[j] + g1 * b[j] + g2 * c[j] + g3 * d[j]
            if past:
                write_past(slopes, p, x, wide, g0)
                write_past(slopes, q, x, wide, g1)
                write_past(slopes, r, x, wide, g2)
                write_past(slopes, s, x, wide, g3)
            elif expanded:
                a, b, c, d = slopes[p : p + wide], slopes[q : q + wide], slopes[r : r + wide], slopes[s : s + wide]
                for j in range(wide):
                    v = x[j]
                    a[j] = g0 * v
                    b[j] = g1 * v
                    c[j] = g2 * v
                    d[j] = g3 * v
            i += 4
            p += 4 * degree
            continue
        if g0 != 0.0:
            a = weight[p : p + wide]
            for j in range(wide):
                sent[j] += g0 * a[j]
        if expanded:
            a = slopes[p : p + wide]
            for j in range(wide):
                a[j] = g0 * x[j] if g0 != 0.0 else 0.0
        i += 1
        p += degree


@njit(**OPTIONS)
def write_past(slopes, place, x, wide, g):
    """`slopes[place:] = g x`, past the cache in whole cache lines."""
    j = min(-place % 8, wide)
    for k in range(j):
        slopes[place + k] = g * x[k]
    while j + 8 <= wide:
        stream_times(slopes, place + j, x, j, g)
        j += 8
    for k in range(j, wide):
        slopes[place + k] = g * x[k]


BLOCK = (
    "nodes", "codes", "start", "edges", "source", "weight", "segments", "pieces", "values", "adjoints", "depth", "stack", "back",
    "of", "slopes", "past", "gate", "shared", "part", "parts",
)  # fmt: skip
"""What `run` is told about a network and about what is to be done: numbers, and places in memory."""


@njit(**OPTIONS)
def together(gate, passed, parts):
    """Waits until all parts are here, and says how many gates that makes. A thread waits without giving its core away:
    the parts are alike, and waking a thread takes longer than most of them."""
    if parts > 1:
        waited_for = (passed + 1) * parts
        there = added(gate, 1)
        while there < waited_for:
            there = added(gate, 0)
    return passed + 1


@cfunc(types.void(types.int64), **OPTIONS)
def run(place):
    """Both ways: all of it, or one of several parts that as many threads run at once. Dense segments from `shared` edges
    on are shared out, forward by nodes and backward by sources; the first part does what is left.

    It is called by its address, with the place of one block of numbers: numba looks at each of a dozen arrays whenever it
    is called from Python, which takes longer than a network of a hundred edges.
    """
    block = carray(integers(place), 20)
    nodes, edges, pieces, gate, part, parts = block[0], block[3], block[7], block[16], block[18], block[19]
    codes = carray(bytes_at(block[1]), nodes)
    start = carray(starts_at(block[2]), nodes + 1)
    source = carray(sources_at(block[4]), edges)
    weight = carray(address(block[5]), edges)
    segments = carray(integers(block[6]), (pieces, 9))
    values, adjoints = carray(address(block[8]), nodes), carray(address(block[9]), nodes)
    stack, back = carray(address(block[11]), block[10]), carray(address(block[12]), nodes)
    slopes = carray(address(block[14]), edges if block[14] else 0)
    past = block[15] != 0
    passed = 0
    for k in range(pieces):
        row = segments[k]
        if row[0] and (row[2] - row[1]) * row[4] >= block[17]:
            dense_forward(row, part, parts, codes, start, weight, values, stack)
        elif part == 0 and row[0]:
            dense_forward(row, 0, 1, codes, start, weight, values, stack)
        elif part == 0:
            sparse_forward(row[1], row[2], codes, start, source, weight, values, stack, np.uint64(row[8]))
        passed = together(gate, passed, parts)
    if part == 0:
        adjoints[:] = 0.0
        adjoints[block[13]] = 1.0
    for k in range(pieces - 1, -1, -1):
        row = segments[k]
        if part == 0 and row[0]:
            dense_sums(row, codes, start, weight, values, adjoints, stack, slopes, back)
        elif part == 0:
            top = np.uint64(segments[k + 1, 8] if k + 1 < pieces else block[10])
            if block[14]:
                sparse_backward(row[1], row[2], codes, start, source, weight, values, adjoints, stack, top, slopes)
            else:
                sparse_backward(row[1], row[2], codes, start, source, weight, values, adjoints, stack, top, None)
        passed = together(gate, passed, parts)
        if row[0] and (row[2] - row[1]) * row[4] >= block[17]:
            dense_backward(row, part, parts, start, weight, values, adjoints, slopes, past, back)
        elif part == 0 and row[0]:
            dense_backward(row, 0, 1, start, weight, values, adjoints, slopes, past, back)
        passed = together(gate, passed, parts)


@njit(**OPTIONS)
def by_rule(codes, start, source, values, adjoints, stack, top, first_edge, last_edge, found):
    """Derivatives by the weights of some edges, from the derivative by their node: adjoint x slope x source value."""
    for i in range(codes.shape[0] - 1, -1, -1):
        code = codes[i]
        if code == 0:
            continue
        two = code >= TWO
        if two:
            top -= np.uint64(2)
        elif stacked(code):
            top -= np.uint64(1)
        first, last = np.int64(start[i]), np.int64(start[i + 1])
        if last <= first_edge or first >= last_edge:
            continue
        g = adjoints[i]
        a = b = 0.0
        if g != 0.0:
            if two:
                a, b = slopes_2(code, stack[top], stack[top + np.uint64(1)], values[i])
            else:
                a = slope_1(code, stack[top] if stacked(code) else 0.0, values[i])
        middle = (first + last) // 2
        for e in range(max(first, first_edge), min(last, last_edge)):
            slope = b if two and e >= middle else a
            found[e - first_edge] = g * slope * values[np.uint64(source[e])] if g != 0.0 else 0.0


@njit(**OPTIONS)
def dense_runs(codes, start, source, least):
    """Segments: runs of nodes of one function that each read the same range of nodes, all before them, and perhaps one
    and the same node more; what is between them is left as it is. `least` edges are worth a dense block."""
    count = codes.shape[0]
    found = np.empty((count + 1, 9), np.int64)
    filled = begun = i = depth = begun_depth = 0
    while i < count:
        code = codes[i]
        first, last = np.int64(start[i]), np.int64(start[i + 1])
        degree = last - first
        j = i
        low = wide = shift = 0
        bias = -1
        if 0 < code < TWO and degree >= NARROW:
            if in_row(source, first, last):
                wide = degree
            elif in_row(source, first, last - 1):
                wide, bias = degree - 1, np.int64(source[last - 1])
            elif in_row(source, first + 1, last):
                wide, bias, shift = degree - 1, np.int64(source[first]), 1
            low = np.int64(source[first + shift])
        if wide and low + wide <= i:
            j = i + 1
            while j < count and codes[j] == code and bias < i and np.int64(start[j + 1]) - np.int64(start[j]) == degree:
                at = np.int64(start[j])
                if np.int64(source[at + shift]) != low or not in_row(source, at + shift, at + shift + wide):
                    break
                if bias >= 0 and np.int64(source[at + (0 if shift else wide)]) != bias:
                    break
                j += 1
        if (j - i) * wide < least:
            for k in range(i, max(j, i + 1)):
                depth += held(codes[k])
            i = max(j, i + 1)
            continue
        if begun < i:
            found[filled] = np.array([0, begun, i, 0, 0, 0, -1, 0, begun_depth])
            filled += 1
        found[filled] = np.array([1, i, j, low, wide, degree, bias, shift, depth])
        filled += 1
        depth += (j - i) * held(code)
        begun_depth = depth
        begun = i = j
    if begun < count:
        found[filled] = np.array([0, begun, count, 0, 0, 0, -1, 0, begun_depth])
        filled += 1
    return found[:filled].copy()


@njit(**OPTIONS)
def held(code):
    """How many numbers a node leaves on the stack."""
    return 2 if code >= TWO else 1 if stacked(code) else 0


@njit(**OPTIONS)
def in_row(source, first, last):
    """Whether neighbours among edges have neighbours as sources."""
    low = np.int64(source[first])
    for e in range(first, last):
        if np.int64(source[e]) != low + (e - first):
            return False
    return True


@njit(**OPTIONS)
def checked(codes, start, source, edges):
    """The first node that is wrong, and how: sources not before it, an odd number of edges for two sums, edges out of
    order, a function that is not known; -1 where all are right. And the depth of the stack."""
    depth = 0
    for i in range(codes.shape[0]):
        first, last = np.int64(start[i]), np.int64(start[i + 1])
        code = codes[i]
        if code > 36 or code == 29:
            return i, 4, depth
        if last < first or last > edges:
            return i, 3, depth
        if code >= TWO and (last - first) % 2:
            return i, 2, depth
        depth += held(code)
        for e in range(first, last):
            if source[e] >= i:
                return i, 1, depth
    return -1, 0, depth


@njit(**OPTIONS)
def levels_of(codes, start, source):
    """For each node the length of the longest way to it."""
    levels = np.zeros(codes.shape[0], np.int64)
    for i in range(codes.shape[0]):
        for e in range(np.uint64(start[i]), np.uint64(start[i + 1])):
            levels[i] = max(levels[i], levels[np.uint64(source[e])] + 1)
    return levels


@njit(**OPTIONS)
def local_slopes(codes, values, stack, top, first, second):
    """The slope of each node by its sum, or by its two sums."""
    for i in range(codes.shape[0] - 1, -1, -1):
        code = codes[i]
        first[i] = second[i] = 0.0
        if code == 0:
            continue
        y = values[i]
        if code >= TWO:
            top -= np.uint64(2)
            first[i], second[i] = slopes_2(code, stack[top], stack[top + np.uint64(1)], y)
            continue
        z = 0.0
        if stacked(code):
            top -= np.uint64(1)
            z = stack[top]
        first[i] = slope_1(code, z, y)


@njit(**OPTIONS)
def pair_rows(codes, start, source, weight, first, second, pairs, low, high):
    """Derivatives of some nodes by all, from those of the nodes that they read."""
    for i in range(low, high):
        row = pairs[i]
        begin, end = np.int64(start[i]), np.int64(start[i + 1])
        middle = (begin + end) // 2 if codes[i] >= TWO else end
        for e in range(begin, end):
            s = np.int64(source[e])
            g = weight[e] * (first[i] if e < middle else second[i])
            other = pairs[s]
            for j in range(s + 1):
                row[j] += g * other[j]
        row[i] = 1.0


@njit(**OPTIONS)
def pair_weights(start, source, values, first, second, codes, pairs, low, high, found, zeros):
    """The derivatives of all nodes by the weights on the edges of nodes `low` to `high`, into `zeros` or into anything."""
    origin = np.int64(start[low])
    for j in range(pairs.shape[0]):
        line = found[j]
        if not zeros:
            line[np.int64(start[max(low, min(high, j + 1))]) - origin :] = 0.0
        for i in range(low, min(high, j + 1)):
            begin, end = np.int64(start[i]), np.int64(start[i + 1])
            g = pairs[j, i]
            if g == 0.0:
                if not zeros:
                    line[begin - origin : end - origin] = 0.0
                continue
            middle = (begin + end) // 2 if codes[i] >= TWO else end
            for e in range(begin, middle):
                line[e - origin] = g * first[i] * values[np.uint64(source[e])]
            for e in range(middle, end):
                line[e - origin] = g * second[i] * values[np.uint64(source[e])]
