"""How large things may be. Each is checked before the work is done, and passing one is an ordinary, located error.

The figures keep an answer to any input within seconds and some hundred MiB. A program that trusts
its input may raise one: `limits.BYTES = 10**9`.
"""

BYTES = 64 * 2**20
"""Size of a file that is read."""

LINE = 1_000_000
"""Characters of one statement."""

DEPTH = 200
"""Parentheses, functions, signs and exponents inside each other. Long sums and products count as one level."""

DIGITS = 1_000
"""Digits of one number, as written."""

EXPONENT = 4_000
"""Decimal exponent of one number, as written: 1e4000."""

BITS = 10_000
"""Numerator and denominator of an exact number together. Past it values are floats, with a notice; a power
that would pass it and is too large for a float, too, is an error before it is computed."""

PATHS = 64
"""Paths that are listed. More are counted, and the largest listed."""

SYMBOLIC = 400
"""Operations of a formula that is written out in symbols; past it names of quantities stand for their formulas."""

ERRORS = 50
"""Errors of one file that are reported."""

PAIRS = 1_000_000
"""Derivatives of all quantities by all quantities that are listed."""

REPLAY = 200_000
"""Arrows that are gone over while a page is searched for a habit: on larger networks slips are looked for only next to
the lines that do not follow."""

PAIRED_WAYS = 300
"""Arrows of a network up to which two habits at a time are tried."""

EXERCISES = 10_000
"""Exercises that are made at once."""

WAYS = 20_000
"""Arrows of a network up to which habits are looked for at all; lines are judged on any."""

ELEMENTS = 20_000_000
"""Elements of one array."""

AXES = 32
"""Axes of one array."""

ROUNDED_ELEMENTS = 8_000
"""The same where some are no fractions (exp, sqrt): rounded numbers that can tell their digits take longer, most of all
where they cancel."""

EXACT_ELEMENTS = 100_000
"""Multiplications and additions of single numbers up to which a network of arrays is worked out exactly; past it in
floats, with a notice."""

EXPANDED = 5_000
"""Single numbers of a network of arrays that is written out element by element."""

WRITTEN = 3_000
"""Numbers, names and operations of a network of arrays in code that has no arrays: some five to ten thousand lines."""

STEPS = 1_000
"""Steps of gradient descent in a row."""

EXACT_STEPS = 10
"""Steps of gradient descent up to which numbers are exact or know their digits; past them floats, with a notice."""

SECOND = 2_000_000
"""Numbers gone over for second derivatives: those of the network and its derivatives, for each one asked for."""

TOGETHER = 100_000_000
"""Elements of all arrays of a network together, those inside its formulas too."""
