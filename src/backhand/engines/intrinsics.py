"""What loops compiled by numba need beyond numba: stores past the cache, and numbers that are places in memory.

Apart from the loops of the tape, so that whoever needs these does not wait until those are compiled.
"""
# pyright: basic, reportMissingImports=false, reportCallIssue=false, reportPrivateImportUsage=false
# ruff: noqa: B905, PLR0917 - as numba wants them

from __future__ import annotations

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
