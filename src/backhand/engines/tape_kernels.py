"""The loops of the tape, compiled by numba once and kept on disk.

Node i is a function of one sum of `weight x value` over its edges, or of two (the first half of its edges and the second).
Edges lie in the order of their nodes, so a node's are `start[i]` to `start[i + 1]`. Indices are unsigned: numba asks of
signed ones whether they count from the end, which costs a third of the time.

The value of node i is `state[i * step]` and the derivative by it `state[i * step + apart]`: side by side in one cache
line (2, 1), or in two arrays, one behind the other (1, n). What a slope needs besides the value, the sums
themselves, lies on a stack that the way back takes down again.

A segment is a run of nodes. A dense one reads one range of nodes, each of its nodes all of them: its weights are a matrix as
they lie, and no index is looked at.
"""
# pyright: basic, reportMissingImports=false, reportCallIssue=false
# ruff: noqa: B905, D403, E501, PLR0915, PLR0917, SIM110 - loops as a compiler for numbers wants them

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

FUNCTIONS = (
    "input", "sum", "square", "tanh", "exp", "sigmoid", "relu", "ln", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "erf", "leaky_relu", "elu", "softplus", "gelu", "silu", "abs", "sign", "step", "log2", "log10",
    "reciprocal", "unused",
    "product", "quotient", "max", "min", "leaky_relu_2", "elu_2", "general_power",
)  # fmt: skip
"""What a node may be, by code. Those from `product` on are functions of two sums."""

CODES = {name: code for code, name in enumerate(FUNCTIONS)}
TWO = CODES["product"]
FAST = {"reassoc", "contract", "nsz"}
"""What the compiler may do with sums: add in any order. Infinities and nan stay what they are."""

OPTIONS = {"error_model": "numpy", "cache": True, "nogil": True, "fastmath": FAST}


@intrinsic
def stream(typingctx, array, index, source, place):
    """Eight numbers of `source` from `place` on go to `array` from `index` on, past the cache; there a cache line starts."""

    def code(context, builder, signature, args):
        data = [context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2)]
        eight = ir.VectorType(ir.DoubleType(), 8).as_pointer()
        to, of = (builder.bitcast(builder.gep(d, [args[k]]), eight) for d, k in zip(data, (1, 3)))
        stored = builder.store(builder.load(of, align=8), to, align=64)
        stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(array, index, source, place), code


@intrinsic
def address(typingctx, number):
    """A number as the place of floats in memory."""

    def code(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float64)(number), code


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
        return sigmoid(z)
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
    if code == 30:
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
    if code == 30:
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
def forward(codes, start, source, weight, segments, state, step, stack):
    """All values. `segments` holds for each: dense or not, first node, node past the last, first source, sources."""
    top = np.uint64(0)
    for k in range(segments.shape[0]):
        low, high = segments[k, 1], segments[k, 2]
        if segments[k, 0]:
            wide = segments[k, 4]
            values = state[segments[k, 3] : segments[k, 3] + wide]
            matrix = weight[start[low] : start[high]]
            rows = high - low
            multiply(matrix, values, state[low:high], rows, wide)
            code = codes[low]
            if stacked(code):
                for i in range(low, high):
                    stack[top] = state[i]
                    top += np.uint64(1)
            if code != 1:
                for i in range(low, high):
                    state[i] = value_1(code, state[i])
            continue
        for i in range(low, high):
            code = codes[i]
            if code == 0:
                continue
            first, last = np.uint64(start[i]), np.uint64(start[i + 1])
            s = 0.0
            if code >= 30:
                middle = (first + last) // np.uint64(2)
                t = 0.0
                for e in range(first, middle):
                    s += weight[e] * state[np.uint64(source[e]) * step]
                for e in range(middle, last):
                    t += weight[e] * state[np.uint64(source[e]) * step]
                stack[top] = s
                stack[top + np.uint64(1)] = t
                top += np.uint64(2)
                state[np.uint64(i) * step] = s * t if code == 30 else value_2(code, s, t)
                continue
            for e in range(first, last):
                s += weight[e] * state[np.uint64(source[e]) * step]
            if stacked(code):
                stack[top] = s
                top += np.uint64(1)
            state[np.uint64(i) * step] = value_1(code, s)
    return top


@njit(**OPTIONS)
def both(codes, start, source, weight, segments, state, step, apart, stack, of, slopes, past):
    """Forward and backward in one call."""
    top = forward(codes, start, source, weight, segments, state, step, stack)
    backward(codes, start, source, weight, segments, state, step, apart, stack, top, of, slopes, past)
    return top


@njit(**OPTIONS)
def multiply(matrix, values, found, rows, wide):
    """`found = matrix @ values`, four rows at a time."""
    i = 0
    while i + 4 <= rows:
        a, b = matrix[i * wide : (i + 1) * wide], matrix[(i + 1) * wide : (i + 2) * wide]
        c, d = matrix[(i + 2) * wide : (i + 3) * wide], matrix[(i + 3) * wide : (i + 4) * wide]
        s0 = s1 = s2 = s3 = 0.0
        for j in range(wide):
            v = values[j]
            s0 += a[j] * v
            s1 += b[j] * v
            s2 += c[j] * v
            s3 += d[j] * v
        found[i], found[i + 1], found[i + 2], found[i + 3] = s0, s1, s2, s3
        i += 4
    while i < rows:
        s0 = 0.0
        for j in range(wide):
            s0 += matrix[i * wide + j] * values[j]
        found[i] = s0
        i += 1


@njit(**OPTIONS)
def backward(codes, start, source, weight, segments, state, step, apart, stack, top, of, slopes, past):
    """All derivatives of node `of`; those by weights into `slopes`, unless it is empty. `past` writes them past the
    cache, where `slopes` starts a cache line."""
    count = codes.shape[0]
    for i in range(count):
        state[np.uint64(i) * step + apart] = 0.0
    state[np.uint64(of) * step + apart] = 1.0
    expanded = slopes.shape[0] > 0
    for k in range(segments.shape[0] - 1, -1, -1):
        low, high = segments[k, 1], segments[k, 2]
        if segments[k, 0]:
            code = codes[low]
            wide = segments[k, 4]
            rows = high - low
            back = np.empty(rows)
            if stacked(code):
                top -= np.uint64(rows)
            for i in range(rows):
                z = stack[top + np.uint64(i)] if stacked(code) else 0.0
                g = state[np.uint64(low + i) + apart]
                back[i] = g * slope_1(code, z, state[low + i]) if g != 0.0 else 0.0
            low_s = segments[k, 3]
            sent = state[np.int64(apart) + low_s : np.int64(apart) + low_s + wide]
            values = state[low_s : low_s + wide]
            matrix = weight[start[low] : start[high]]
            if expanded:
                spread(matrix, values, back, sent, slopes, np.int64(start[low]), rows, wide, past)
            else:
                gather(matrix, back, sent, rows, wide)
            continue
        for i in range(high - 1, low - 1, -1):
            code = codes[i]
            if code == 0:
                continue
            g = state[np.uint64(i) * step + apart]
            first, last = np.uint64(start[i]), np.uint64(start[i + 1])
            if code >= 30:
                top -= np.uint64(2)
                if g == 0.0:
                    if expanded:
                        slopes[first:last] = 0.0
                    continue
                s, t = stack[top], stack[top + np.uint64(1)]
                middle = (first + last) // np.uint64(2)
                if code == 30:
                    a, b = t, s
                else:
                    a, b = slopes_2(code, s, t, state[np.uint64(i) * step])
                back_along(source, weight, state, step, apart, slopes, expanded, first, middle, g * a)
                back_along(source, weight, state, step, apart, slopes, expanded, middle, last, g * b)
                continue
            z = 0.0
            if stacked(code):
                top -= np.uint64(1)
                z = stack[top]
            if g != 0.0:
                g *= slope_1(code, z, state[np.uint64(i) * step])
                back_along(source, weight, state, step, apart, slopes, expanded, first, last, g)
            elif expanded:
                slopes[first:last] = 0.0


@njit(inline="always", **OPTIONS)
def back_along(source, weight, state, step, apart, slopes, expanded, first, last, g):
    """What comes back along some edges."""
    if expanded:
        for e in range(first, last):
            at = np.uint64(source[e]) * step
            slopes[e] = g * state[at]
            state[at + apart] += g * weight[e]
    else:
        for e in range(first, last):
            state[np.uint64(source[e]) * step + apart] += g * weight[e]


@njit(**OPTIONS)
def gather(matrix, back, sent, rows, wide):
    """`sent += matrix.T @ back`."""
    i = 0
    while i + 4 <= rows:
        a, b = matrix[i * wide : (i + 1) * wide], matrix[(i + 1) * wide : (i + 2) * wide]
        c, d = matrix[(i + 2) * wide : (i + 3) * wide], matrix[(i + 3) * wide : (i + 4) * wide]
        g0, g1, g2, g3 = back[i], back[i + 1], back[i + 2], back[i + 3]
        for j in range(wide):
            sent[j] += g0 * a[j] + g1 * b[j] + g2 * c[j] + g3 * d[j]
        i += 4
    while i < rows:
        g0 = back[i]
        for j in range(wide):
            sent[j] += g0 * matrix[i * wide + j]
        i += 1


@njit(**OPTIONS)
def spread(matrix, values, back, sent, slopes, first, rows, wide, past):
    """The same, and `slopes[first:] = outer(back, values)`."""
    if past and wide % 8 == 0 and first % 8 == 0:
        row = np.empty(wide)
        i = 0
        while i < rows:
            count = min(4, rows - i)
            gather(matrix[i * wide : (i + count) * wide], back[i : i + count], sent, count, wide)
            for r in range(i, i + count):
                g = back[r]
                for j in range(wide):
                    row[j] = g * values[j]
                for j in range(0, wide, 8):
                    stream(slopes, first + r * wide + j, row, j)
            i += count
        return
    i = 0
    while i + 4 <= rows:
        p = i * wide
        a, b, c, d = (
            matrix[p : p + wide], matrix[p + wide : p + 2 * wide], matrix[p + 2 * wide : p + 3 * wide],
            matrix[p + 3 * wide : p + 4 * wide],
        )  # fmt: skip
        q = first + p
        sa, sb, sc, sd = (
            slopes[q : q + wide], slopes[q + wide : q + 2 * wide], slopes[q + 2 * wide : q + 3 * wide],
            slopes[q + 3 * wide : q + 4 * wide],
        )  # fmt: skip
        g0, g1, g2, g3 = back[i], back[i + 1], back[i + 2], back[i + 3]
        for j in range(wide):
            sent[j] += g0 * a[j] + g1 * b[j] + g2 * c[j] + g3 * d[j]
        for j in range(wide):
            v = values[j]
            sa[j] = g0 * v
            sb[j] = g1 * v
            sc[j] = g2 * v
            sd[j] = g3 * v
        i += 4
    while i < rows:
        g0 = back[i]
        p = i * wide
        for j in range(wide):
            sent[j] += g0 * matrix[p + j]
            slopes[first + p + j] = g0 * values[j]
        i += 1


@njit(**OPTIONS)
def by_rule(codes, start, source, state, step, apart, stack, top, first_edge, last_edge, found):
    """Derivatives by the weights of some edges, from the derivative by their node: adjoint x slope x source value."""
    for i in range(codes.shape[0] - 1, -1, -1):
        code = codes[i]
        if code == 0:
            continue
        two = code >= 30
        if two:
            top -= np.uint64(2)
        elif stacked(code):
            top -= np.uint64(1)
        first, last = np.int64(start[i]), np.int64(start[i + 1])
        if last <= first_edge or first >= last_edge:
            continue
        g = state[np.uint64(i) * step + apart]
        y = state[np.uint64(i) * step]
        a = b = 0.0
        if g != 0.0:
            if two:
                a, b = slopes_2(code, stack[top], stack[top + np.uint64(1)], y)
            else:
                a = slope_1(code, stack[top] if stacked(code) else 0.0, y)
        middle = (first + last) // 2
        for e in range(max(first, first_edge), min(last, last_edge)):
            slope = b if two and e >= middle else a
            found[e - first_edge] = g * slope * state[np.uint64(source[e]) * step] if g != 0.0 else 0.0


@njit(**OPTIONS)
def dense_runs(codes, start, source, least):
    """Segments: runs of nodes of one function that each read the same range of nodes, all before them; what is between
    them is left as it is. `least` edges are worth a dense block."""
    count = codes.shape[0]
    found = np.empty((count + 1, 5), np.int64)
    filled = 0
    begun = 0
    i = 0
    while i < count:
        code = codes[i]
        first, last = np.int64(start[i]), np.int64(start[i + 1])
        wide = last - first
        if code == 0 or code >= 30 or wide < 8 or not in_row(source, first, last):
            i += 1
            continue
        low = np.int64(source[first])
        j = i + 1
        while j < count and codes[j] == code and np.int64(start[j + 1]) - np.int64(start[j]) == wide:
            at = np.int64(start[j])
            if np.int64(source[at]) != low or low + wide > i or not in_row(source, at, at + wide):
                break
            j += 1
        if (j - i) * wide < least:
            i = j
            continue
        if begun < i:
            found[filled] = np.array([0, begun, i, 0, 0])
            filled += 1
        found[filled] = np.array([1, i, j, low, wide])
        filled += 1
        begun = i = j
    if begun < count:
        found[filled] = np.array([0, begun, count, 0, 0])
        filled += 1
    return found[:filled].copy()


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
        if code >= 30 and (last - first) % 2:
            return i, 2, depth
        depth += 2 if code >= 30 else 1 if stacked(code) else 0
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
def local_slopes(codes, state, step, stack, top, first, second):
    """The slope of each node by its sum, or by its two sums."""
    for i in range(codes.shape[0] - 1, -1, -1):
        code = codes[i]
        first[i] = second[i] = 0.0
        if code == 0:
            continue
        y = state[np.uint64(i) * step]
        if code >= 30:
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
        middle = (begin + end) // 2 if codes[i] >= 30 else end
        for e in range(begin, end):
            s = np.int64(source[e])
            g = weight[e] * (first[i] if e < middle else second[i])
            other = pairs[s]
            for j in range(s + 1):
                row[j] += g * other[j]
        row[i] = 1.0


@njit(**OPTIONS)
def pair_weights(start, source, state, step, first, second, codes, pairs, low, high, found):
    """The derivatives of all nodes by the weights on the edges of nodes `low` to `high`, into zeros."""
    origin = np.int64(start[low])
    for j in range(pairs.shape[0]):
        line = found[j]
        for i in range(low, min(high, j + 1)):
            begin, end = np.int64(start[i]), np.int64(start[i + 1])
            g = pairs[j, i]
            if g == 0.0:
                continue
            middle = (begin + end) // 2 if codes[i] >= 30 else end
            for e in range(begin, middle):
                line[e - origin] = g * first[i] * state[np.uint64(source[e]) * step]
            for e in range(middle, end):
                line[e - origin] = g * second[i] * state[np.uint64(source[e]) * step]
