"""What a figure of a network shows, before it is laid out.

`explaining.figure` makes a Scene from a network or its solution, `explaining.layout` places it
on the plane (a Drawing), `writers.svg` writes that. Words here are plain text, already rounded
and with their sign; the writer sets names with subscripts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A quantity drawn as a circle (or, with a long name, a rounded box).

    `layer` counts from the left, `row` is its place from the top within the layer in the order of the
    question. `above` is its value ("3", "≈ 0.5933", or "" when unknown), `below` its derivative
    ("4" stands for "dL/dB1 = 4"), `inside` an activation or formula hint ("sigmoid", "(D - t)^2"),
    `bias` a term added there ("b1 = 0.35"), `shape` that of an array ("(3×2)"). Of a layer that is opened into its
    units, these are `small` and the first has the `caption` of all above it, line by line."""

    name: str
    kind: str
    layer: int
    row: int
    above: str = ""
    below: str = ""
    inside: str = ""
    bias: str = ""
    shape: str = ""
    caption: tuple[str, ...] = ()
    small: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two units by their names. `weight` is written on it ("-2", "w1 = 0.15"; empty where
    there is none) and `local` the local derivative ("∂ 1") where it is not the weight itself. `dropped` says
    that somebody's working left it out. `about` is the name of the quantity that the weight is."""

    tail: str
    head: str
    weight: str = ""
    local: str = ""
    dropped: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """`of` is the output whose derivatives stand below the units, empty for a bare drawing; `twin` is the
    same in sentences, for those who cannot see the picture. `remarks` go into the legend."""

    title: str
    units: tuple[Unit, ...]
    arrows: tuple[Arrow, ...]
    of: str = ""
    twin: str = ""
    remarks: tuple[str, ...] = ()
