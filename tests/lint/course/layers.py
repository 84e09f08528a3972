"""A module of the course.

    backhand: nets/q3.bh

The derivative by the output is dL/dD = 2, and dL/dB2 = 4.
"""

L = 5  # no statement of the notes: L = 1


def f():
    """dL/dC1 = 3"""
    text = "dL/dC1 = 4"  # dL/dA2 = -4
    return text
