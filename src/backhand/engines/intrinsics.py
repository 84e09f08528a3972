"""What loops compiled by numba need beyond numba: stores past the cache, and numbers that are places in memory.

Apart from the loops of the tape, so that whoever needs these does not wait until those are compiled.
"""
# pyright: basic, reportMissingImports=false, reportCallIssue=false, reportPrivateImportUsage=false, reportArgumentType=false
# ruff: noqa: B905, PLR0917 - as numba wants them

from __future__ import annotations

import ast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _eight_past_the_cache(context, builder, signature, args, factor=None):
    """Code that stores eight numbers where a cache line starts, without reading the line first."""
    data = [context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2)]
    eight, word = ir.VectorType(ir.DoubleType(), 8), ir.IntType(32)
    to, of = (builder.bitcast(builder.gep(d, [args[k]]), eight.as_pointer()) for d, k in zip(data, (1, 3)))
    numbers = builder.load(of, align=8)
    if factor is not None:
        first = builder.insert_element(ir.Constant(eight, ir.Undefined), factor, ir.Constant(word, 0))
        alike = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(word, 8), [0] * 8))
        numbers = builder.fmul(numbers, alike)
    stored = builder.store(numbers, to, align=64)
    stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(word, 1)]))
    return context.get_dummy_value()


@intrinsic
def stream(typingctx, array, index, source, place):
    """Eight numbers of `source` from `place` on go to `array` from `index` on."""
    return types.void(array, index, source, place), _eight_past_the_cache


@intrinsic
def stream_times(typingctx, array, index, source, place, factor):
    """The same, each times `factor`."""

    def code(context, builder, signature, args):
        return _eight_past_the_cache(context, builder, signature, args, args[4])

    return types.void(array, index, source, place, factor), code


def _pointer(kind):
    @intrinsic
    def at(typingctx, number):
        """A number as the place of such numbers in memory."""

        def code(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(number), code

    return at


address, integers, bytes_at, sources_at, starts_at = (
    _pointer(kind) for kind in (types.float64, types.int64, types.uint8, types.uint32, types.uint64)
)


@intrinsic
def added(typingctx, place, number):
    """Adds to a whole number in memory that several threads see, and gives what is there then. Adding 0 reads it."""

    def code(context, builder, signature, args):
        there = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.add(builder.atomic_rmw("add", there, args[1], "seq_cst"), args[1])

    return types.int64(types.int64, types.int64), code


ARITHMETIC = (ast.Assign, ast.Name, ast.Load, ast.Store, ast.Constant, ast.BinOp, ast.UnaryOp, ast.USub)
FAST = ("contract", "nsz")
OPERATIONS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
HIGHEST = 8
"""The highest power that is written out as products."""


def arithmetic(line: str) -> bool:
    """Whether a line is nothing but sums, products, quotients and small powers, so that `eight` can take it."""
    for node in ast.walk(ast.parse(line).body[0]):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            if not (isinstance(node.right, ast.Constant) and node.right.value in range(1, HIGHEST + 1)):
                return False
        elif not isinstance(node, (*ARITHMETIC, *OPERATIONS, ast.Pow)):
            return False
    return True


def eight(args, lines, results):
    """A function that runs lines of arithmetic on eight points at once, in registers.

    It reads the eight from `point` on of each argument, which lies at `at[k]` and goes on by `step[k]` bytes a point,
    and stores the results past the cache: row k of `found` starts at `apart * k`."""
    vectors, number, word = ir.VectorType(ir.DoubleType(), 8), ir.IntType(64), ir.IntType(32)

    @intrinsic
    def run(typingctx, at, step, found, apart, point):
        def code(context, builder, signature, given):
            arrays = [context.make_array(signature.args[k])(context, builder, given[k]).data for k in range(3)]
            entry = lambda k, data: builder.load(builder.gep(data, [ir.Constant(number, k)]))  # noqa: E731
            known = {}
            for k, name in enumerate(args):
                place = builder.add(entry(k, arrays[0]), builder.mul(entry(k, arrays[1]), given[4]))
                known[name] = builder.load(builder.inttoptr(place, vectors.as_pointer()), align=8)

            def store(row, vector):
                place = builder.add(builder.mul(ir.Constant(number, row), given[3]), given[4])
                target = builder.bitcast(builder.gep(arrays[2], [place]), vectors.as_pointer())
                stored = builder.store(vector, target, align=64)
                stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(word, 1)]))

            def vector(node):
                match node:
                    case ast.Name(id=name):
                        return known[name]
                    case ast.Constant(value=value):
                        return ir.Constant(vectors, [float(value)] * 8)
                    case ast.UnaryOp(operand=part):
                        return builder.fneg(vector(part))
                    case ast.BinOp(left=part, op=ast.Pow(), right=ast.Constant(value=power)):
                        base = made = vector(part)
                        for _ in range(int(power) - 1):
                            made = builder.fmul(made, base, flags=FAST)
                        return made
                    case ast.BinOp(left=left, op=op, right=right):
                        one, other = vector(left), vector(right)
                        return getattr(builder, OPERATIONS[type(op)])(one, other, flags=FAST)

            for line in lines:
                statement = ast.parse(line).body[0]
                name = statement.targets[0].id
                known[name] = vector(statement.value)
            for row, name in enumerate(results):
                store(row, known[name])
            return context.get_dummy_value()

        return types.void(at, step, found, apart, point), code

    return run
