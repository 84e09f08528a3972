"""The writers: each box and each block in each format, long lines, strange names, and what a page must not do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import permutations, product
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backhand
from backhand import writers
from backhand.display import formatted
from backhand.explaining import document as doc
from backhand.explaining import mathematics as m
from backhand.explaining.document import Document, Equation, Heading, Link, Paragraph, Remark, Table
from backhand.explaining.mathematics import (
    Bars,
    Box,
    Call,
    Differentiate,
    Fraction,
    Group,
    Indexed,
    Matrix,
    Number,
    Power,
    Prime,
    Root,
    Row,
    Shaped,
    Sign,
    Slope,
    Sum,
    Summary,
    Symbol,
    Transposed,
    Words,
)
from backhand.text import cells
from backhand.writers import html
from backhand.writers.line import chain, line
from backhand.writers.mathml import MathML
from backhand.writers.pieces import pieces
from backhand.writers.tex import TeX

DOCUMENTS = [name for name, writer in writers.WRITERS.items() if writer.takes == "document" and not writer.binary]


# -- making mathematics quickly ------------------------------------------------------------------------


def box(item: Box | str | int) -> Box:
    """`B1` is a name, `-2` a number, `+` a sign, "" a product sign left open."""
    if isinstance(item, int) or (isinstance(item, str) and re.fullmatch(r"-?\d[\d.]*(e-?\d+)?", item)):
        return Number(str(item))
    if isinstance(item, str):
        return Symbol(item) if re.match(r"[^\W\d_]", item) else Sign(item)
    return item


def row(*items: Box | str | int) -> Row:
    return Row(tuple(map(box, items)))


def group(*items: Box | str | int) -> Group:
    return Group(row(*items) if len(items) > 1 else box(items[0]))


def over(above: Box | str | int, below: Box | str | int) -> Fraction:
    return Fraction(box(above), box(below))


def equation(
    *links: Box | str | int, about: str = "", note: tuple[doc.Inline, ...] = (), result: bool = False
) -> Equation:
    """A chain with `=`; `about` holds a letter a link, `~` where it is only about equal."""
    signs = about or "=" * (len(links) - 1)
    relations = ["", *("≈" if sign == "~" else "=" for sign in signs)]
    return Equation(
        tuple(Link(relation, box(link)) for relation, link in zip(relations, links, strict=True)), note, result
    )


def matrix(*rows: tuple[Box | str | int, ...], shape: str = "", axes: int = 2) -> Matrix:
    return Matrix(tuple(tuple(map(box, each)) for each in rows), shape, axes)


def vector(*items: Box | str | int) -> Matrix:
    return matrix(*((each,) for each in items), axes=1)


def a_sum(terms: int) -> Row:
    items: list[Box | str | int] = []
    for i in range(1, terms + 1):
        items += ["+", f"w{i}", "", f"x{i}"] if items else [f"w{i}", "", f"x{i}"]
    return row(*items)


def document(*blocks: doc.Block, title: str = "") -> Document:
    return Document(title, lambda: iter(blocks))


def written(name: str, *blocks: doc.Block, title: str = "", **options: typing.Any) -> str:
    return writers.whole(document(*blocks, title=title), name, **options)


def bare(mathml: str) -> str:
    """MathML without attributes, to be read in a table of tests."""
    return re.sub(r"<(\w+) [^>]*>", r"<\1>", mathml)


A_B = Slope("A", "B")
GATHERED = equation(
    Slope("L", "B1"),
    row(Slope("L", "C1"), "", Slope("C1", "B1"), "+", Slope("L", "C2"), "", Slope("C2", "B1")),
    row(group(2), "", group(1), "+", group(-2), "", group(-1)),
    row(2, "+", 2),
    4,
    result=True,
)
B1 = equation(
    "B1",
    row(-2, "", "A1", "+", 1, "", "A2"),
    row(group(-2), "", group(-1), "+", group(1), "", group(1)),
    row(2, "+", 1),
    3,
)
LOSS = equation(
    "L",
    Power(group("D", "-", "t"), Number("2")),
    Power(group(4, "-", 3), Number("2")),
    Power(Number("1"), Number("2")),
    1,
)
H = equation("h", Call("sigmoid", (Number("0.3775"),)), "0.593270", about="=~")


# -- one line of text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        (GATHERED, "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4"),
        (B1, "B1 = -2 A1 + 1 A2 = (-2)(-1) + (1)(1) = 2 + 1 = 3"),
        (LOSS, "L = (D - t)^2 = (4 - 3)^2 = 1^2 = 1"),
        (H, "h = sigmoid(0.3775) ≈ 0.593270"),
    ],
)
def test_a_chain_on_one_line(equation: Equation, text: str) -> None:
    assert chain(equation) == text
    assert written("text", equation) == text + "\n"


BOXES: list[tuple[Box, str, str, str]] = [
    # box, line of text, TeX, MathML without attributes
    (Symbol("B1"), "B1", "B_{1}", "<msub><mi>B</mi><mn>1</mn></msub>"),
    (Symbol("out_h1"), "out_h1", r"\mathrm{out}_{h1}", "<msub><mi>out</mi><mrow><mi>h</mi><mn>1</mn></mrow></msub>"),
    (Symbol("x'"), "x'", "x'", "<msup><mi>x</mi><mo>′</mo></msup>"),
    (
        Symbol("c#1"), "c#1", "c^{(1)}",
        "<msup><mi>c</mi><mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></msup>",
    ),
    (
        Symbol("w[A1,B1]"), "w[A1,B1]", "w_{A_{1},B_{1}}",
        "<msub><mi>w</mi><mrow><msub><mi>A</mi><mn>1</mn></msub><mo>,</mo><msub><mi>B</mi><mn>1</mn></msub></mrow></msub>",
    ),
    (
        Symbol("W1[0,1]"), "W1[0,1]", "W_{1}[0,1]",
        "<mrow><msub><mi>W</mi><mn>1</mn></msub><mrow><mo>[</mo><mrow><mn>0</mn><mo>,</mo><mn>1</mn></mrow><mo>]</mo></mrow></mrow>",
    ),
    (m.Gap(6), "______", r"\underline{\hspace{3em}}", "<mspace></mspace>"),
    (Symbol("alpha2"), "alpha2", r"\alpha_{2}", "<msub><mi>α</mi><mn>2</mn></msub>"),
    (Symbol("η"), "η", r"\eta", "<mi>η</mi>"),
    (Number("-2"), "-2", "-2", "<mrow><mo>−</mo><mn>2</mn></mrow>"),
    (
        Number("1.2e-7"), "1.2e-7", r"1.2 \cdot 10^{-7}",
        "<mrow><mn>1.2</mn><mo>·</mo><msup><mn>10</mn><mrow><mo>−</mo><mn>7</mn></mrow></msup></mrow>",
    ),
    (row("a", "-", "b"), "a - b", "a - b", "<mrow><mi>a</mi><mo>−</mo><mi>b</mi></mrow>"),
    (row("-", "a", "+", "b"), "-a + b", "-a + b", "<mrow><mo>−</mo><mi>a</mi><mo>+</mo><mi>b</mi></mrow>"),
    (row("t", "=", "-", "a"), "t = -a", "t = -a", "<mrow><mi>t</mi><mo>=</mo><mo>−</mo><mi>a</mi></mrow>"),
    (row("a", "≈", 2), "a ≈ 2", r"a \approx 2", "<mrow><mi>a</mi><mo>≈</mo><mn>2</mn></mrow>"),
    # products: what stands between two factors depends on both
    (row(2, "", "a"), "2 a", r"2\,a", "<mrow><mn>2</mn><mo>\u2062</mo><mi>a</mi></mrow>"),
    (row(2, "", 3), "2·3", r"2 \cdot 3", "<mrow><mn>2</mn><mo>·</mo><mn>3</mn></mrow>"),
    (row("a", "", 3), "a·3", r"a \cdot 3", "<mrow><mi>a</mi><mo>·</mo><mn>3</mn></mrow>"),
    (
        row(2, "", group("D", "-", "t")), "2(D - t)", "2(D - t)",
        "<mrow><mn>2</mn><mo>\u2062</mo><mrow><mo>(</mo><mi>D</mi><mo>−</mo><mi>t</mi><mo>)</mo></mrow></mrow>",
    ),
    (
        row("a", "", group("b", "+", "c")), "a·(b + c)", r"a \cdot (b + c)",
        "<mrow><mi>a</mi><mo>·</mo><mrow><mo>(</mo><mi>b</mi><mo>+</mo><mi>c</mi><mo>)</mo></mrow></mrow>",
    ),
    (
        row("a", "", -3), "a·(-3)", r"a \cdot (-3)",
        "<mrow><mi>a</mi><mo>·</mo><mrow><mo>(</mo><mrow><mo>−</mo><mn>3</mn></mrow><mo>)</mo></mrow></mrow>",
    ),
    (
        row("a", "-", row("-", "b")), "a - (-b)", "a - (-b)",
        "<mrow><mi>a</mi><mo>−</mo><mrow><mo>(</mo><mo>−</mo><mi>b</mi><mo>)</mo></mrow></mrow>",
    ),
    (row("a", "*", "b"), "a*b", r"a \cdot b", "<mrow><mi>a</mi><mo>·</mo><mi>b</mi></mrow>"),
    (
        row(Slope("L", "D"), "", group(2)), "dL/dD·(2)", r"\frac{dL}{dD} \cdot (2)",
        ("<mrow><mfrac><mrow><mi>d</mi><mi>L</mi></mrow><mrow><mi>d</mi><mi>D</mi></mrow></mfrac><mo>·</mo>"
         "<mrow><mo>(</mo><mn>2</mn><mo>)</mo></mrow></mrow>"),
    ),
    # fractions
    (over("a", "b"), "a/b", r"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
    (
        over(row("a", "+", "b"), row(2, "", "c")), "(a + b)/(2 c)", r"\frac{a + b}{2\,c}",
        "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mrow><mn>2</mn><mo>\u2062</mo><mi>c</mi></mrow></mfrac>",
    ),
    (
        row(over(1, 2), "", "x"), "(1/2) x", r"\frac{1}{2}\,x",
        "<mrow><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>\u2062</mo><mi>x</mi></mrow>",
    ),
    (
        row("x", "-", over(-1, 3)), "x - (-1/3)", r"x - \frac{-1}{3}",
        "<mrow><mi>x</mi><mo>−</mo><mfrac><mrow><mo>−</mo><mn>1</mn></mrow><mn>3</mn></mfrac></mrow>",
    ),
    (
        over(over(5, 3), 2), "(5/3)/2", r"\frac{\;\frac{5}{3}\;}{2}",
        "<mfrac><mrow><mspace></mspace><mfrac><mn>5</mn><mn>3</mn></mfrac><mspace></mspace></mrow><mn>2</mn></mfrac>",
    ),
    # powers and roots
    (Power(Symbol("x"), Number("2")), "x^2", "x^{2}", "<msup><mi>x</mi><mn>2</mn></msup>"),
    (
        Power(Number("-2"), Number("2")), "(-2)^2", "(-2)^{2}",
        "<msup><mrow><mo>(</mo><mrow><mo>−</mo><mn>2</mn></mrow><mo>)</mo></mrow><mn>2</mn></msup>",
    ),
    (
        Power(row("a", "+", "b"), Number("-1")), "(a + b)^(-1)", "(a + b)^{-1}",
        "<msup><mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow><mrow><mo>−</mo><mn>1</mn></mrow></msup>",
    ),
    (
        Power(over(1, 3), Symbol("n")), "(1/3)^n", r"\left( \frac{1}{3} \right)^{n}",
        "<msup><mrow><mo>(</mo><mfrac><mn>1</mn><mn>3</mn></mfrac><mo>)</mo></mrow><mi>n</mi></msup>",
    ),
    (
        Power(Symbol("c#1"), Number("2")), "c#1^2", "(c^{(1)})^{2}",
        "<msup><mrow><mo>(</mo><msup><mi>c</mi><mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></msup><mo>)</mo></mrow><mn>2</mn></msup>",
    ),
    (
        Root(row("x", "+", 1)), "sqrt(x + 1)", r"\sqrt{x + 1}",
        "<msqrt><mrow><mi>x</mi><mo>+</mo><mn>1</mn></mrow></msqrt>",
    ),
    (Bars(Symbol("x")), "abs(x)", r"\lvert x \rvert", "<mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow>"),
    # functions
    (
        Call("sigmoid", (Symbol("z"),)), "sigmoid(z)", r"\mathrm{sigmoid}(z)",
        "<mrow><mi>sigmoid</mi><mo>\u2061</mo><mrow><mo>(</mo><mi>z</mi><mo>)</mo></mrow></mrow>",
    ),
    (
        Call("log2", (Symbol("z"),)), "log2(z)", r"\log_{2}(z)",
        "<mrow><msub><mi>log</mi><mn>2</mn></msub><mo>\u2061</mo><mrow><mo>(</mo><mi>z</mi><mo>)</mo></mrow></mrow>",
    ),
    (
        Call("max", (Symbol("a"), Number("0"))), "max(a, 0)", r"\max(a, 0)",
        "<mrow><mi>max</mi><mo>\u2061</mo><mrow><mo>(</mo><mi>a</mi><mo>,</mo><mn>0</mn><mo>)</mo></mrow></mrow>",
    ),
    (group("a"), "(a)", "(a)", "<mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow>"),
    # derivatives
    (
        Slope("L", "B1"), "dL/dB1", r"\frac{dL}{dB_{1}}",
        "<mfrac><mrow><mi>d</mi><mi>L</mi></mrow><mrow><mi>d</mi><msub><mi>B</mi><mn>1</mn></msub></mrow></mfrac>",
    ),
    (
        Slope("C1", "B1", local=True), "∂C1/∂B1", r"\frac{\partial C_{1}}{\partial B_{1}}",
        ("<mfrac><mrow><mi>∂</mi><msub><mi>C</mi><mn>1</mn></msub></mrow>"
         "<mrow><mi>∂</mi><msub><mi>B</mi><mn>1</mn></msub></mrow></mfrac>"),
    ),
    (
        Differentiate("B1", row("a", "+", "b")), "d/dB1 (a + b)", r"\frac{d}{dB_{1}}(a + b)",
        ("<mrow><mfrac><mi>d</mi><mrow><mi>d</mi><msub><mi>B</mi><mn>1</mn></msub></mrow></mfrac><mo>\u2062</mo>"
         "<mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow></mrow>"),
    ),
    (Differentiate("x", group("a")), "d/dx (a)", r"\frac{d}{dx}(a)",
     "<mrow><mfrac><mi>d</mi><mrow><mi>d</mi><mi>x</mi></mrow></mfrac><mo>\u2062</mo><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow></mrow>"),
    (
        row(Slope("", "B1", local=True), " ", group("a")), "∂/∂B1 (a)", r"\frac{\partial}{\partial B_{1}}\,(a)",
        ("<mrow><mfrac><mi>∂</mi><mrow><mi>∂</mi><msub><mi>B</mi><mn>1</mn></msub></mrow></mfrac><mo>\u2062</mo>"
         "<mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow></mrow>"),
    ),
    (Prime(Symbol("f")), "f'", "f'", "<msup><mi>f</mi><mo>′</mo></msup>"),
    (
        row(group(2), "", Prime(group("D", "-", 3)), "", group("D", "-", 3)), "(2)(D - 3)'(D - 3)", "(2)(D - 3)'(D - 3)",
        ("<mrow><mrow><mo>(</mo><mn>2</mn><mo>)</mo></mrow><mo>\u2062</mo><msup><mrow><mo>(</mo><mi>D</mi><mo>−</mo><mn>3</mn>"
         "<mo>)</mo></mrow><mo>′</mo></msup><mo>\u2062</mo><mrow><mo>(</mo><mi>D</mi><mo>−</mo><mn>3</mn><mo>)</mo></mrow></mrow>"),
    ),
    (Words("if 0 < x"), "if 0 < x", r"\text{if 0 < x}", "<mtext>if 0 &lt; x</mtext>"),
    (Sign("·"), "·", r" \cdot ", "<mo>·</mo>"),
    # arrays
    (
        matrix((-2, 1), (1, 2)), "[[-2, 1], [1, 2]]",
        r"\left[\begin{array}{rr} -2 & 1 \\ 1 & 2 \end{array}\right]",
        ("<mrow><mo>[</mo><mtable><mtr><mtd><mrow><mo>−</mo><mn>2</mn></mrow></mtd><mtd><mn>1</mn></mtd></mtr>"
         "<mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable><mo>]</mo></mrow>"),
    ),
    (
        Matrix(((Number("1"),), (Symbol("a"),)), "2", 1), "[1, a]",
        r"\underset{2}{\left[\begin{array}{r} 1 \\ a \end{array}\right]}",
        ("<munder><mrow><mo>[</mo><mtable><mtr><mtd><mn>1</mn></mtd></mtr><mtr><mtd><mi>a</mi></mtd></mtr></mtable>"
         "<mo>]</mo></mrow><mtext>2</mtext></munder>"),
    ),
    (
        Matrix(((vector(1), vector(2)),), axes=2), "[[[1], [2]]]",
        (r"\left[\begin{array}{rr} \left[\begin{array}{r} 1 \end{array}\right] & "
         r"\left[\begin{array}{r} 2 \end{array}\right] \end{array}\right]"),
        ("<mrow><mo>[</mo><mtable><mtr><mtd><mrow><mo>[</mo><mtable><mtr><mtd><mn>1</mn></mtd></mtr></mtable><mo>]</mo></mrow>"
         "</mtd><mtd><mrow><mo>[</mo><mtable><mtr><mtd><mn>2</mn></mtd></mtr></mtable><mo>]</mo></mrow></mtd></mtr></mtable>"
         "<mo>]</mo></mrow>"),
    ),
    (
        vector("0.25", -1), "[0.25, -1]", r"\left[\begin{array}{r} 0.25 \\ -1\phantom{.00} \end{array}\right]",
        ("<mrow><mo>[</mo><mtable><mtr><mtd><mn>0.25</mn></mtd></mtr><mtr><mtd><mrow><mo>−</mo><mn>1</mn></mrow>"
         "<mphantom><mn>.00</mn></mphantom></mtd></mtr></mtable><mo>]</mo></mrow>"),
    ),
    (row("W1", "@", "x"), "W1 @ x", r"W_{1}\,x", "<mrow><msub><mi>W</mi><mn>1</mn></msub><mo>\u2062</mo><mi>x</mi></mrow>"),
    (row("a", "⊙", "b"), "a ⊙ b", r"a \odot b", "<mrow><mi>a</mi><mo>⊙</mo><mi>b</mi></mrow>"),
    (row("a", "@", -2), "a @ (-2)", r"a\,(-2)",
     "<mrow><mi>a</mi><mo>\u2062</mo><mrow><mo>(</mo><mrow><mo>−</mo><mn>2</mn></mrow><mo>)</mo></mrow></mrow>"),
    (Transposed(Symbol("x")), "xᵀ", r"x^{\mathsf{T}}", "<msup><mi>x</mi><mi>T</mi></msup>"),
    (
        Transposed(row("a", "+", "b")), "(a + b)ᵀ", r"(a + b)^{\mathsf{T}}",
        "<msup><mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow><mi>T</mi></msup>",
    ),
    (
        Indexed(Symbol("z"), "0,1:3"), "z[0,1:3]", "z[0,1{:}3]",
        ("<mrow><mi>z</mi><mrow><mo>[</mo><mrow><mn>0</mn><mo>,</mo><mn>1</mn><mo>:</mo><mn>3</mn></mrow><mo>]</mo></mrow>"
         "</mrow>"),
    ),
    (
        Indexed(Slope("L", "z"), "-1"), "(dL/dz)[-1]", r"\left( \frac{dL}{dz} \right)[-1]",
        ("<mrow><mrow><mo>(</mo><mfrac><mrow><mi>d</mi><mi>L</mi></mrow><mrow><mi>d</mi><mi>z</mi></mrow></mfrac><mo>)</mo>"
         "</mrow><mrow><mo>[</mo><mrow><mo>−</mo><mn>1</mn></mrow><mo>]</mo></mrow></mrow>"),
    ),
    (
        Shaped(Symbol("W1"), "3×2"), "W1 (3×2)", r"\underset{3 \times 2}{W_{1}}",
        "<munder><msub><mi>W</mi><mn>1</mn></msub><mtext>3×2</mtext></munder>",
    ),
    (
        Summary("from -0.21 to 0.19, mean 3.1e-5", "512×784"), "[512×784, from -0.21 to 0.19, mean 3.1e-5]",
        (r"[\,512 \times 784, \text{from }-0.21\text{ to }0.19\text{, mean }3.1 \cdot 10^{-5}\,]"),
        "<mrow><mo>[</mo><mtext>512×784, from −0.21 to 0.19, mean 3.1e−5</mtext><mo>]</mo></mrow>",
    ),
    (
        Sum("k", "2", row("a", "+", "b")), "Σ(k=0..2) (a + b)", r"\sum_{k = 0}^{2} (a + b)",
        ("<mrow><munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>0</mn></mrow><mn>2</mn></munderover>"
         "<mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow></mrow>"),
    ),
    (Sum("k", "", Symbol("a")), "Σ(k) a", r"\sum_{k} a", "<mrow><munder><mo>∑</mo><mi>k</mi></munder><mi>a</mi></mrow>"),
    (
        row(Sum("k", "1", Symbol("a")), "·", "b"), "(Σ(k=0..1) a)·b", r"\left( \sum_{k = 0}^{1} a \right) \cdot b",
        ("<mrow><mrow><mo>(</mo><mrow><munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>0</mn></mrow><mn>1</mn></munderover>"
         "<mi>a</mi></mrow><mo>)</mo></mrow><mo>·</mo><mi>b</mi></mrow>"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("box", "text", "tex", "mathml"), BOXES, ids=[text for _, text, _, _ in BOXES])
def test_a_box_in_each_format(box: Box, text: str, tex: str, mathml: str) -> None:
    assert line(box) == text
    assert TeX(str)(box) == tex
    assert bare(MathML()(box)) == mathml


SHAPES = {"W": (3, 2), "A": (2, 2), "x": (2,), "y": (2,), "b": (3,), "X": (4, 2), "s": ()}


@pytest.mark.parametrize(
    ("formula", "text", "tex"),
    [
        ("W @ x + b", "W @ x + b", r"W\,x + b"),
        ("W @ (x*y)", "W @ (x ⊙ y)", r"W\,(x \odot y)"),
        ("(W @ x)*b", "(W @ x) ⊙ b", r"(W\,x) \odot b"),
        ("b*(W @ x)", "b ⊙ (W @ x)", r"b \odot (W\,x)"),
        ("A @ A @ x", "A @ A @ x", r"A\,A\,x"),
        ("s*x", "s·x", r"s \cdot x"),
        ("s x + 2 y", "s x + 2 y", r"s\,x + 2\,y"),
        ("x*y/s", "(x ⊙ y)/s", r"\frac{x \odot y}{s}"),
        ("X.T", "Xᵀ", r"X^{\mathsf{T}}"),
        ("(x + y).T", "(x + y)ᵀ", r"(x + y)^{\mathsf{T}}"),
        ("transpose(X, axes=(1, 0))", "transpose(X, axes=(1, 0))", r"\mathrm{transpose}(X, \text{axes=(1, 0)})"),
        ("outer(x, y)", "x @ yᵀ", r"x\,y^{\mathsf{T}}"),
        ("X[0, 1:]", "X[0, 1:]", "X[0,1{:}]"),
        ("sum(X, axis=0)", "sum(X, axis=0)", r"\mathrm{sum}(X, \text{axis=0})"),
        ("sum(X)", "sum(X)", r"\mathrm{sum}(X)"),
        ("[s, 2]", "[s, 2]", r"\left[\begin{array}{r} s \\ 2 \end{array}\right]"),
        (
            "[[1, 2], [3, 4]] @ x",
            "[[1, 2], [3, 4]] @ x",
            r"\left[\begin{array}{rr} 1 & 2 \\ 3 & 4 \end{array}\right]\,x",
        ),
        ("[[[1]], [[s]]]", "[[[1]], [[s]]]", None),
        ("zeros(3, 2)", "0 (3×2)", r"\underset{3 \times 2}{\text{0}}"),
        ("softmax(W @ x)", "softmax(W @ x)", r"\mathrm{softmax}(W\,x)"),
        ("reshape(x, (2, 1))", "reshape(x, shape=(2, 1))", r"\mathrm{reshape}(x, \text{shape=(2, 1)})"),
    ],
)
def test_formulas_of_arrays(formula: str, text: str, tex: str | None) -> None:
    from backhand.core.notation import formula as read
    from backhand.explaining.boxes import box as seen

    shown = seen(read(formula), shapes=SHAPES).box
    assert line(shown) == text
    assert tex is None or TeX(str)(shown) == tex


def test_what_goes_back_through_arrays() -> None:
    from backhand.core.array_operations import node
    from backhand.core.formula import Ref
    from backhand.explaining.boxes import box as seen

    assert line(seen(node("spread", Ref("g"), shape=(3, 2))).box) == "g·1 (3×2)"
    assert (
        line(seen(node("place", Ref("g"), key=(0, (1, None, None)), shape=(3, 2))).box) == "(g at [0, 1:], 0 elsewhere)"
    )


def test_parentheses_around_a_matrix_are_cut_apart_only_where_they_must_be() -> None:
    whole = group(vector(1, 2), "-", vector(3, 4))
    assert pieces(row("a", "·", whole), 8, whole=1.6)[-1].row == Row((whole,))
    assert pieces(row("a", "·", whole), 8)[-1].lead == "-"
    first, second = pieces(Group(a_sum(12)), 20)[0], pieces(group(vector(1, 2), "+", a_sum(12)), 20)[0]
    assert 'stretchy="false"' in MathML().display("", first)
    assert '<mo form="prefix" minsize="2.6em">(</mo>' in MathML().display("", second)
    lines = TeX(str).lines(equation("y", group(vector(1, 2), "+", a_sum(12))), 20)
    assert r"\Bigl(\left[" in lines[0]
    assert lines[-1].endswith(r"\Bigr)")


def test_a_derivative_within_prose_is_written_with_a_slash() -> None:
    assert TeX(str)(Slope("L", "B1"), inline=True) == "dL/dB_{1}"
    assert "<mfrac>" not in MathML().inline(pieces(Slope("L", "B1"), 20)[0])


# -- everything in everything -------------------------------------------------------------------------


def a_figure() -> doc.Figure:
    from backhand.explaining.layout import lay_out
    from backhand.explaining.scene import Arrow, Scene, Unit

    twin = "A1 = -1.\nB1 = 3, with <weight> -2 & more."
    units = (Unit("A1", "input", 0, 0, "-1"), Unit("B1", "computed", 1, 0, "3", "4"))
    return doc.Figure(lay_out(Scene("A net", units, (Arrow("A1", "B1", "-2"),), "L", twin)), twin)


BLOCKS: dict[type[doc.Block], tuple[doc.Block, ...]] = {
    Heading: (
        Heading(1, ("Backward: ", Symbol("L")), "backward"),
        Heading(2, (Slope("L", "B1"),), "dL dB1"),
        Heading(2, ("dL/dB1 again",), "dL dB1"),
    ),
    Paragraph: (Paragraph(("The derivative of ", Symbol("L"), " by ", Symbol("B1"), ".")), Paragraph(())),
    Equation: (
        GATHERED,
        B1,
        equation(
            over(1, row(1, "+", Call("exp", (row("-", "x"),)))),
            "0.5",
            note=("by the ", Symbol("x"), " rule"),
            about="~",
        ),
        equation(Words("no relation at all")),
        Equation((Link("=", Number("4")),), result=True),
        equation("z", a_sum(40), "12.25"),
        equation(a_sum(12), "12.25"),
    ),
    Table: (
        Table((("name",), (Symbol("x"), " & more")), ((("a",), (Number("-1"),)), ((Symbol("b"),), ())), "lr"),
        Table((("none",),), (), "l"),
    ),
    doc.Code: (
        doc.Code(
            "python",
            (
                doc.CodeRow("def f(λ):"),
                doc.CodeRow("    B1 = -λ --2 << `a` ", "# B1 = <weight> & more", doc.About("B1", "value")),
                doc.CodeRow(""),
                doc.CodeRow("    return {'B1': \\"),
            ),
        ),
        doc.Code("c", ()),
    ),
    doc.Room: (doc.Room(3),),
    doc.NewSheet: (doc.NewSheet("Another & more"), doc.NewSheet()),
    doc.Fine: (doc.Fine(("Made from ", Symbol("x"), ".")),),
    Remark: (
        Remark("notice", ("rounded",)),
        Remark("check", ("the same",)),
        Remark("hint", ("Now ", Symbol("y"), ".")),
    ),
    doc.Page: (
        doc.Page(
            "a <page>.md",
            (
                doc.WrittenLine(1, (doc.Statement((doc.Stroke("Some <words> & more, "), doc.Stroke(Symbol("B1")))),)),
                doc.WrittenLine(
                    12,
                    (
                        doc.Statement(
                            (
                                doc.Stroke("so "),
                                doc.Stroke(Slope("L", "B1", True), close=True),
                                doc.Stroke(row(group(2), "", group(1)), "=", "follows", "follows"),
                                doc.Stroke(Number("2"), "=", "wrong", "wrong", opens=True, closes=True),
                            )
                        ),
                        doc.Statement((doc.Stroke(row("w", "=", 1), pen="right", mark="right"),), 1),
                        doc.Statement((doc.Stroke("\\frac{1}", "⇒", "unclear", "unclear", raw=True),), 2),
                        doc.Statement((doc.Stroke(Number("3"), "≈", struck=True), doc.Stroke("x", struck=True)), 1),
                    ),
                    "wrong",
                    (
                        doc.Comment("note", ("Look at ", Symbol("w"), ".")),
                        doc.Comment(
                            "wrong", ("A way is missing.",), "First wrong step", (row("L", "=", 4),), (GATHERED,)
                        ),
                    ),
                    gap=True,
                ),
                doc.WrittenLine(13, (doc.Statement((doc.Stroke(a_sum(40), "=", "wrong", "wrong"),)),), "wrong"),
            ),
            (("right", "right"), ("wrong", "not right yet")),
        ),
        doc.Page("", ()),
    ),
}


def every_block() -> Iterator[doc.Block]:
    yield Equation((Link("", Symbol("A")), Link("≈", Matrix((tuple(map(Number, ("-0.123456",) * 9)),) * 3))))
    for blocks in BLOCKS.values():
        yield from blocks
    yield a_figure()


def test_every_box_and_block_is_tried_here() -> None:
    assert {type(box) for box, *_ in BOXES} == set(typing.get_args(m.Box))
    assert {*BLOCKS, doc.Figure} == set(typing.get_args(doc.Block))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_writer_writes_every_block_and_every_box(name: str) -> None:
    boxes = [Paragraph(("Look: ", box)) for box, *_ in BOXES] + [equation(box, box) for box, *_ in BOXES]
    page = Document("All <of> it", lambda: iter([*every_block(), *boxes]))
    chunks = [*writers.load(name).write(page)]
    assert len(chunks) > len(BOXES)
    text = "".join(chunks)
    assert "".join(writers.load(name).write(page)) == text, "the same bytes from the same input"
    assert text.endswith("\n")
    assert "\ufffd" not in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_empty_document(name: str) -> None:
    assert written(name).strip() == "" or name in {"html", "latex", "typst", "ipynb"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_stream(name: str) -> None:
    asked: list[int] = []

    def blocks() -> Iterator[doc.Block]:
        for number in range(1000):
            asked.append(number)
            yield GATHERED if number % 10 else Heading(2, ("Step",))

    chunks = writers.load(name).write(Document("long", blocks))
    for _ in range(12):
        next(chunks)
    assert len(asked) < 100


def test_mathematics_may_be_as_deep_as_the_limits_allow() -> None:
    from backhand.limits import DEPTH

    deep: Box = Symbol("x")
    for level in range(DEPTH):
        deep = [Group(deep), over(1, deep), Power(deep, Number("2")), Call("f", (deep,)), row(deep, "+", 1)][level % 5]
    for name in DOCUMENTS:
        assert written(name, equation("y", deep), Paragraph((deep,)))
    nested: Box = Symbol("x")
    for _ in range(20_000):
        nested = row(nested, "+", 1)
    assert line(nested).count("+") == 20_000


# -- any mathematics at all ---------------------------------------------------------------------------

NAMES = st.sampled_from(["x", "B1", "out_h1", "w[A1,B1]", "c#1", "x'", "alpha", "B_1", "é", "a<b"])
LEAVES: st.SearchStrategy[Box] = st.one_of(
    st.builds(Symbol, NAMES),
    st.sampled_from(["0", "-2", "0.15", "1.2e-7", "-3e10"]).map(Number),
    st.builds(Slope, NAMES, NAMES, st.booleans()),
    st.sampled_from(["", " ", "if x > 0"]).map(Words),
)


def _grown(inner: st.SearchStrategy[Box]) -> st.SearchStrategy[Box]:
    signs = st.sampled_from(["+", "-", "·", "*", "/", "", "", "=", "≈", ","]).map(Sign)
    rows = st.lists(st.tuples(signs, inner), max_size=4).map(lambda pairs: [box for pair in pairs for box in pair])
    return st.one_of(
        st.builds(lambda first, rest: Row((first, *rest)), inner, rows),
        st.builds(lambda rest: Row((Sign("-"), *rest[1:])) if rest else Row(()), rows),
        st.builds(Fraction, inner, inner),
        st.builds(Power, inner, inner),
        st.builds(Root, inner),
        st.builds(Group, inner),
        st.builds(Bars, inner),
        st.builds(Call, st.sampled_from(["sigmoid", "ln", "log10", "leaky_relu"]), st.tuples(inner, inner)),
        st.builds(Differentiate, NAMES, inner),
        st.builds(Prime, inner),
        st.builds(lambda a, b: Matrix(((a, b), (b, a))), inner, inner),
        st.builds(Transposed, inner),
        st.builds(Indexed, inner, st.sampled_from(["0", "1:3,-1", "k"])),
        st.builds(Shaped, inner, st.sampled_from(["3×2", "4"])),
        st.builds(Summary, st.just("from -0.2 to 1"), st.just("3×2")),
        st.builds(Sum, st.just("k"), st.sampled_from(["", "2"]), inner),
    )


ANYTHING = st.recursive(LEAVES, _grown, max_leaves=25)
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "munderover": 3}


@given(ANYTHING)
def test_any_box_becomes_well_formed(box: Box) -> None:
    text = line(box)
    assert text.count("(") == text.count(")")
    tex = TeX(str)(box)
    assert tex.count("{") - tex.count("\\{") == tex.count("}") - tex.count("\\}")
    assert tex.count("\\left") == tex.count("\\right")
    tree = ET.fromstring(f"<math>{MathML()(box)}</math>")
    assert len(tree) == 1
    for element in tree.iter():
        if element.tag in CHILDREN:
            assert len(element) == CHILDREN[element.tag]


@given(ANYTHING, st.integers(5, 30))
def test_cut_in_pieces_nothing_is_lost(box: Box, room: int) -> None:
    """The pieces side by side say what the whole says, but for blanks and product dots."""
    together = "".join(f"{piece.lead}{line(piece.row)}" for piece in pieces(box, room, line=True))
    assert re.sub("[ ·]", "", together) == re.sub("[ ·]", "", line(box))


# -- names --------------------------------------------------------------------------------------------

TRICKY = [
    "B1", "B_1", "B_{1}", "B11", "B_11", "B_1_1", "B1_1", "B[1,1]", "B[1][1]", "w[A1,B1]", "w[A_1,B_1]", "w[A1B1]",
    "w_A1B1", "w_{A1,B1}", "w_A1_B1", "out_h1", "outh1", "out_{h1}", "c", "c#1", "c#2", "c1", "x'", "x''", "x'_1",
    "x_1'", "x1'",
    "alpha", "α", "alpha1", "alpha_1", "α1", "ALPHA", "Alpha", "λ", "lambda", "W1[0,1]", "W[0,1]",
    "W_1[0,1]", "W1_0_1", "e", "pi", "π",
    "<b>", "&lt;b&gt;", "b", "_b", "b_", "1", "", " ", "é", "e\u0301", "d", "dx", "b#1'",
]  # fmt: skip


@pytest.mark.parametrize("order", [TRICKY, TRICKY[::-1], sorted(TRICKY)])
def test_two_names_never_look_the_same(order: list[str]) -> None:
    for setter in (TeX(str), MathML()):
        looks = {name: setter.names(name) for name in order}
        assert len(set(looks.values())) == len(order)
        assert {name: setter.names(name) for name in order} == looks, "a name keeps its look"


def test_the_first_of_two_names_that_would_look_alike_gets_the_fine_form() -> None:
    for first, second in permutations(["B1", "B_1"]):
        tex = TeX(str)
        assert tex.names(first) == "B_{1}"
        assert tex.names(second) == rf"\mathtt{{{second.replace('_', chr(92) + '_')}}}"


HOSTILE = [
    "<b>", '"><script>alert(1)</script>', "</math></style>", "a\nb", "a\x1b[31mred", "$x$", "`code`", "*bold*", "a|b",
    "{", "}", "\\input{x}", "%", "^^M", "~", "# h", "```", "\u202eabc", "&amp;", "x" * 300, "_", "'",
    "--", "]]>", "<!--", "[a](b)",
]  # fmt: skip


def hostile_document(hostile: str) -> Document:
    return document(
        Heading(1, (hostile, Symbol(hostile)), hostile),
        Heading(2, (Slope(hostile, "x"),), hostile),
        Paragraph((hostile, Symbol(hostile), Words(hostile), hostile)),
        equation(hostile if hostile[0].isalpha() else Symbol(hostile), row(Symbol(hostile), "+", 1), note=(hostile,)),
        Table(((hostile,),), (((Symbol(hostile), hostile),),), "l"),
        Remark("hint", (hostile,)),
        title=hostile,
    )


class Tags(HTMLParser):
    """All tags of a page; complains about one that is not closed in its place."""

    EMPTY = frozenset(["meta", "br", "hr", "img", "link", "input"])

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_strange_names_stay_words(hostile: str) -> None:
    page = hostile_document(hostile)
    tags = Tags(writers.whole(page, "html"))
    harmless = Tags(writers.whole(hostile_document("ok"), "html"))
    assert {tag for tag, _ in tags.seen} <= {tag for tag, _ in harmless.seen} | {"mtext", "mrow", "mn", "mo", "msub"}
    assert "".join(tags.words).count("alert(1)") >= hostile.count("alert(1)") * 5, "it is shown, not dropped"
    for width in (None, 40):
        text = writers.whole(page, "text", width=width)
        assert all(c == "\n" or c.isprintable() for c in text)
    markdown = writers.whole(page, "markdown")
    fences = [text for text in markdown.splitlines() if text.startswith("```")]
    assert fences == ["```math", "```"]
    prose = re.sub(r"(`+).+?\1", "", re.sub(r"```math.*?```", "", markdown, flags=re.DOTALL).replace("\\`", ""))
    assert not re.search(r"<\w|\$\$|``", prose)


def test_no_mathematics_in_prose_is_markdown() -> None:
    """Underscores between letters and braces could begin emphasis, a backslash before a sign would vanish."""
    names = ["out_h1", "net_o1", "w[out_h1,out_o1]", "B1", "alpha_h"]
    for first, second in product(names, names):
        text = written("markdown", Paragraph((row(first, "", second, "·", 2), " and ", Slope(first, second), ".")))
        for mathematics in re.findall(r"\$(.+?)\$", text):
            assert not re.search(r"\\[^A-Za-z]|[*`|<>&]", mathematics)
            assert not re.search(r"[^\w\s]_|_\w", mathematics)


# -- text ---------------------------------------------------------------------------------------------

LONG = equation("z", a_sum(12), row(group(2), "", group("0.15"), "+", 1), "12.25")


def test_a_long_chain_breaks_before_relations_then_before_signs() -> None:
    assert written("text", LONG, width=40) == (
        "z = w1 x1 + w2 x2 + w3 x3 + w4 x4\n"
        "      + w5 x5 + w6 x6 + w7 x7 + w8 x8\n"
        "      + w9 x9 + w10 x10 + w11 x11\n"
        "      + w12 x12 = (2)(0.15) + 1 = 12.25\n"
    ).replace("      +", "    +")
    assert written("text", GATHERED, width=50) == (
        "dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1\n"
        "       = (2)(1) + (-2)(-1) = 2 + 2 = 4\n"
    )  # fmt: skip


def test_a_long_left_side_stands_alone() -> None:
    left = Differentiate("B1", row("w1", "", "B1", "+", "w2", "", "B2"))
    assert written("text", equation(left, "w1", 1), width=30) == "d/dB1 (w1 B1 + w2 B2) = w1 = 1\n"
    assert written("text", equation(left, "w1", 1), width=26) == "d/dB1 (w1 B1 + w2 B2)\n    = w1 = 1\n"


@pytest.mark.parametrize("width", [24, 32, 40, 60, 80])
def test_no_line_is_longer_than_the_page(width: int) -> None:
    programs = [each for each in every_block() if isinstance(each, doc.Code)]
    text = writers.whole(Document("A title that is itself rather long", every_block), "text", width=width)
    for program in programs:  # its lines mean something: a terminal may break them, we may not
        assert program.text in text
        text = text.replace(program.text, "", 1)
    assert max(cells(line) for line in text.splitlines()) <= width
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [24, 40, 80])
def test_broken_lines_read_like_the_whole(width: int) -> None:
    for equation in [GATHERED, B1, LOSS, H, LONG]:
        broken = " ".join(written("text", equation, width=width).split())
        assert re.sub("[ ·]", "", broken) == re.sub("[ ·]", "", chain(equation))


def test_a_note_stands_behind_the_chain_as_a_comment() -> None:
    noted = equation("a", 2, note=("by the ", Symbol("x"), " rule"))
    assert written("text", noted) == "a = 2  # by the x rule\n"
    assert written("text", noted, width=18) == "a = 2\n  # by the x rule\n"


def test_a_table_is_aligned_by_cells_and_becomes_a_list_where_it_is_too_broad() -> None:
    table = Table((("quantity",), ("value",)), (((Symbol("β1"),), (Number("-12"),)), (("数",), (Number("4"),))), "lr")
    assert written("text", table) == (
        "quantity   value\n"
        "--------   -----\n"
        "β1           -12\n"
        "数             4\n"
    )  # fmt: skip
    assert written("text", table, width=14) == "β1\n  value: -12\n数\n  value: 4\n"


def test_steps_stand_in_below_their_heading() -> None:
    text = written(
        "text", Heading(1, ("Back",)), Heading(2, ("dL/dB1",)), GATHERED, B1, Heading(2, ("next",)), title="T"
    )
    assert text == (
        "T\n=\n\nBack\n----\n\ndL/dB1\n"
        "  dL/dB1 = dL/dC1 dC1/dB1 + dL/dC2 dC2/dB1 = (2)(1) + (-2)(-1) = 2 + 2 = 4\n"
        "  B1 = -2 A1 + 1 A2 = (-2)(-1) + (1)(1) = 2 + 1 = 3\n\nnext\n"
    )


def test_colours_only_when_asked_for() -> None:
    assert "\x1b" not in writers.whole(Document("T", every_block), "text")
    colored = writers.whole(Document("T", every_block), "text", width=60, color=True)
    assert "= \x1b[1m4\x1b[0m\n" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == writers.whole(Document("T", every_block), "text", width=60)


W = matrix((-2, 1), (1, "2.5"), ("0.333", 12))
LAYER = equation(
    "z",
    row("W", "@", "x", "+", "b"),
    row(W, "@", vector(-1, 1), "+", vector("0.5", 0, -1)),
    vector("3.5", "1.5", "10.667"),
    about="==~",
    note=("a linear layer",),
)


def test_matrices_stand_on_several_lines_and_are_never_cut() -> None:
    assert written("text", LAYER, width=80) == (
        "                ⎡-2       1  ⎤        ⎡ 0.5⎤   ⎡ 3.5  ⎤\n"
        "z = W @ x + b = ⎢ 1       2.5⎥ ⎡-1⎤ + ⎢ 0  ⎥ ≈ ⎢ 1.5  ⎥  # a linear layer\n"
        "                ⎣ 0.333  12  ⎦ ⎣ 1⎦   ⎣-1  ⎦   ⎣10.667⎦\n"
    )
    assert written("text", LAYER, width=30) == (
        "z = W @ x + b\n"
        "\n"
        "    ⎡-2       1  ⎤\n"
        "  = ⎢ 1       2.5⎥ ⎡-1⎤\n"
        "    ⎣ 0.333  12  ⎦ ⎣ 1⎦\n"
        "\n"
        "      ⎡ 0.5⎤   ⎡ 3.5  ⎤\n"
        "    + ⎢ 0  ⎥ ≈ ⎢ 1.5  ⎥\n"
        "      ⎣-1  ⎦   ⎣10.667⎦\n"
        "  # a linear layer\n"
    )
    assert written("text", LAYER) == (
        "z = W @ x + b = [[-2, 1], [1, 2.5], [0.333, 12]] @ [-1, 1] + [0.5, 0, -1] ≈ [3.5, 1.5, 10.667]"
        "  # a linear layer\n"
    )


def test_a_matrix_broader_than_the_terminal_is_typed_row_by_row() -> None:
    wide = matrix(*(tuple(f"{k}.{j}2345" for j in range(6)) for k in range(2)))
    assert written("text", equation("A", wide), width=40) == (
        "A = [[0.02345, 0.12345, 0.22345,\n"
        "    0.32345, 0.42345, 0.52345],\n"
        "    [1.02345, 1.12345, 1.22345,\n"
        "    1.32345, 1.42345, 1.52345]]\n"
    )


def test_parentheses_that_a_line_end_parts_are_tall_in_text() -> None:
    assert written("text", equation("y", group(W, "-", vector("x", 2, 3))), width=24) == (
        "y\n    ⎛⎡-2       1  ⎤\n  = ⎜⎢ 1       2.5⎥\n    ⎝⎣ 0.333  12  ⎦\n\n      ⎡x⎤⎞\n    - ⎢2⎥⎟\n      ⎣3⎦⎠\n"
    ).replace("y\n    ⎛", "    ⎛").replace("  = ⎜", "y = ⎜")


def test_a_function_that_a_line_end_parts_from_its_matrix() -> None:
    text = written("text", equation("y", Call("relu", (row(W, "+", vector("x", 2, 3)),))), width=26)
    assert text == (
        "        ⎛⎡-2       1  ⎤\n"
        "y = relu⎜⎢ 1       2.5⎥\n"
        "        ⎝⎣ 0.333  12  ⎦\n"
        "\n"
        "      ⎡x⎤⎞\n"
        "    + ⎢2⎥⎟\n"
        "      ⎣3⎦⎠\n"
    )


def test_matrices_deep_inside_take_bounded_time() -> None:
    deep: Box = vector(1, 2)
    for _ in range(60):
        deep = group("a", "+", deep)
    assert written("text", equation("y", deep), width=60).count("a") == 60


def test_matrices_in_ascii() -> None:
    assert written("text", equation("y", Transposed(vector("0.5", -1)), Bars(W)), width=60, only_ascii=True) == (
        "                |[-2       1  ]|\ny = [ 0.5]T = |[ 1       2.5]|\n    [-1  ]    |[ 0.333  12  ]|\n"
    ).replace("                |[", "              |[")
    assert all(map(str.isascii, writers.load("text").write(Document("T", every_block), width=50, only_ascii=True)))


@pytest.mark.parametrize(
    ("tall", "text"),
    [
        (row("-", vector(1, 2), "⊙", "y"), "-⎡1⎤ ⊙ y\n ⎣2⎦"),
        (row(2, "", vector(1, 2), "·", group("a", "+", vector(1, 2))), "2 ⎡1⎤·⎛a + ⎡1⎤⎞\n  ⎣2⎦ ⎝    ⎣2⎦⎠"),
        (over(vector(1, 2), 3), " ⎡1⎤\n ⎣2⎦\n─────\n  3"),
        (Call("relu", (vector(-1, "0.25"), Words("axis=0"))), "relu⎛⎡-1   ⎤, axis=0⎞\n    ⎝⎣ 0.25⎦        ⎠"),
        (Power(vector(1, "y"), Number("2")), "⎡1⎤²\n⎣y⎦"),
        (Indexed(vector(1, 2), "1"), "⎡1⎤[1]\n⎣2⎦"),
        (row(Shaped(Slope("L", "z"), "3"), "@", Shaped(Transposed(Symbol("x")), "2")), "dL/dz @ xᵀ\n  3     2"),
        (Sum("k", "1", Matrix(((Number("1"),), (Number("2"),)), "2×1")), "Σ(k=0..1) ⎡1⎤\n          ⎣2⎦\n          2×1"),
        (matrix((matrix((1, 2), (3, 4)), vector(5, 6)), axes=3), "⎡⎡1 2⎤  ⎡5⎤⎤\n⎣⎣3 4⎦  ⎣6⎦⎦"),
        (Root(Prime(vector(over(1, 2), "12.5"))), "sqrt⎛⎡1/2 ⎤'⎞\n    ⎝⎣12.5⎦ ⎠"),
        (Differentiate("x", vector(1, 2)), "d/dx ⎛⎡1⎤⎞\n     ⎝⎣2⎦⎠"),
    ],
)
def test_a_tall_box_in_text(tall: Box, text: str) -> None:
    assert written("text", equation(tall), width=60) == text + "\n"


def test_mathematics_in_prose_is_not_broken() -> None:
    text = written("text", Paragraph(("And so it is that ", row("t", "=", 3), " here.")), width=22)
    assert text == "And so it is that\nt = 3 here.\n"


# -- markdown and LaTeX -------------------------------------------------------------------------------


def test_markdown() -> None:
    assert written(
        "markdown", Heading(2, (Slope("L", "B1"),)), B1, LONG, Remark("check", ("The same *again*.",)), title="A_B"
    ) == (
        "# A\\_B\n\n### $dL/dB_{1}$\n\n"
        "```math\nB_{1} = -2\\,A_{1} + 1\\,A_{2} = (-2)(-1) + (1)(1) = 2 + 1 = 3\n```\n\n"
        "```math\n\\begin{aligned}\n"
        "z &= w_{1}\\,x_{1} + w_{2}\\,x_{2} + w_{3}\\,x_{3} + w_{4}\\,x_{4} + w_{5}\\,x_{5} + w_{6}\\,x_{6} "
        "+ w_{7}\\,x_{7} + w_{8}\\,x_{8} + w_{9}\\,x_{9} + w_{10}\\,x_{10} \\\\\n"
        "&\\quad {} + w_{11}\\,x_{11} + w_{12}\\,x_{12} = (2)(0.15) + 1 = 12.25\n"
        "\\end{aligned}\n```\n\n"
        "> **Check.** The same \\*again\\*.\n"
    )


def test_a_markdown_figure_may_be_a_picture() -> None:
    assert "![" not in written("markdown", a_figure())
    text = written("markdown", a_figure(), figure_href="my net.svg")
    assert "](my%20net.svg)" in text
    assert "B1 = 3, with &lt;weight&gt; -2 &amp; more." in text


def test_what_is_said_of_a_large_array_may_go_on_in_the_next_line() -> None:
    large = equation("W", Summary("from -0.21 to 0.19, mean 3.1e-5", "512×784"), about="~")
    assert written("text", large, width=30) == "W ≈ [512×784,\n      from -0.21 to 0.19,\n      mean 3.1e-5]\n".replace(
        "\n      ", "\n    "
    )
    assert written("html", large).count('<span class="link">') == 4
    assert "mean 3.1e−5]" in written("html", large)


def test_a_matrix_broader_than_paper_is_made_to_fit_it() -> None:
    wide = equation("W", Matrix((tuple(Number(f"-0.{k}23456") for k in range(12)),) * 2))
    assert r"\resizebox" in written("latex", wide)
    assert r"\resizebox" not in written("markdown", wide)
    assert 'class="link wide" style="--fit:0.' in written("html", wide)
    assert r"\resizebox" not in written("latex", LAYER)


def test_results_are_boxed_in_latex() -> None:
    assert r"= \boxed{4}" in written("latex", GATHERED)
    assert r"\boxed" not in written("latex", B1)


def test_prose_in_latex() -> None:
    text = written("latex", Paragraph(("50% of {α} & ω_1: «é» ő – 2^3 -- \\x, 漢 ≈ 3 [*]",)))
    assert (
        r"50\% of \{$\alpha$\} \& $\omega$\_1: «\'{e}» \H{o} -- 2\textasciicircum{}3 -{}- "
        r"\textbackslash{}x, \texttt{U+6F22} $\approx$ 3 {[}{*}{]}"
    ) in text


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    def blocks() -> Iterator[doc.Block]:
        yield from every_block()
        yield from (LAYER, equation("W", Matrix((tuple(Number(f"-0.{k}23456") for k in range(12)),) * 2), result=True))
        for box, *_ in BOXES:
            yield equation(box, box)
        yield from (Paragraph((Symbol(name), " ", name)) for name in TRICKY)
        for hostile in HOSTILE:
            yield from hostile_document(hostile).blocks()
        yield equation("z", a_sum(600), "12.25")
        yield Table((("n",), ("v",)), tuple(((Number(str(i)),), ("[x]",)) for i in range(80)), "rl")

    (tmp_path / "page.tex").write_text(writers.whole(Document("Every $%&# thing", blocks), "latex"), "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "page.log").read_text("utf-8", "replace")
    too_wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide", log)]
    assert len([points for points in too_wide if points > 10]) <= 10, "only names of 300 letters may be too long"


# -- web pages ----------------------------------------------------------------------------------------


def a_page() -> str:
    return writers.whole(Document("A <page>", every_block), "html")


def test_a_page_is_one_file_that_asks_nobody_for_anything() -> None:
    page = a_page()
    tags = Tags(page)
    assert not tags.of("script")
    assert not tags.of("link")
    assert all(not key.startswith("on") for _, attributes in tags.seen for key in attributes)
    addresses = [
        value
        for _, attributes in tags.seen
        for key, value in attributes.items()
        if key in {"src", "href", "xlink:href"}
    ]
    assert not addresses
    assert re.findall(r"url\(.{0,24}", page) == ['url("data:font/woff2;base64,']
    (policy,) = [tag["content"] for tag in tags.of("meta") if tag.get("http-equiv") == "Content-Security-Policy"]
    assert policy == html.POLICY


def test_the_outline_of_a_page() -> None:
    page = a_page()
    tags = Tags(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert tags.of("html") == [{"lang": "en"}]
    assert [len(tags.of(level)) for level in ("h1", "h2", "h3")] == [2, 1, 2]
    assert {tag["scope"] for tag in tags.of("th")} == {"col", "row"}
    steps = [tag for tag in tags.of("details") if tag["class"] == "step"]
    assert all("open" in tag for tag in steps)
    assert [tag.get("id") for tag in steps] == ["dL-dB1", None], "an anchor is given once"


def test_the_typed_form_lies_under_each_equation() -> None:
    page = written("html", GATHERED)
    assert f'<span class="typed" aria-hidden="true">{chain(GATHERED)}</span>' in page


def test_a_page_without_the_font_is_small() -> None:
    assert len(written("html", B1, font=False)) < 10_000 < len(written("html", B1))


def test_the_font_is_small_and_its_licence_beside_it() -> None:
    assets = Path(html.__file__).parent / "assets"
    font = (assets / "math.woff2").read_bytes()
    assert font.startswith(b"wOF2")
    assert len(font) < 40_000
    assert "SIL OPEN FONT LICENSE" in (assets / "OFL.txt").read_text("utf-8")


def test_a_fragment_keeps_to_its_class() -> None:
    text = html.fragment(document(B1, title="T"))
    tags = Tags(text)
    assert tags.seen[0] == ("div", {"class": "backhand"})
    assert not {"html", "head", "body", "main"} & {tag for tag, _ in tags.seen}
    rules = re.sub(r"@font-face \{[^}]*\}", "", html.style())
    selectors = re.findall(r"(?:^|[{}])\s*([^{}@;]+)\{", rules)
    assert len(selectors) > 30
    assert all(each.strip().startswith(".backhand") for selector in selectors for each in selector.split(","))


def test_what_stands_beside_an_invisible_product_is_not_a_call() -> None:
    assert "\u2061" in MathML()(Call("f", (Symbol("x"),)))
    assert "\u2061" not in MathML()(row("f", "", group("x")))


# -- the table ----------------------------------------------------------------------------------------


def test_the_table_of_writers() -> None:
    suffixes = [suffix for writer in writers.WRITERS.values() for suffix in writer.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix.startswith(".") for suffix in suffixes)
    for name in writers.WRITERS:
        assert callable(writers.load(name).write)


def test_an_unknown_format_is_an_error_that_names_the_known_ones() -> None:
    from backhand.errors import UsageError

    with pytest.raises(UsageError, match=r"There is no format docx. Known: text, "):
        writers.load("docx")


def test_writing_text_loads_little() -> None:
    """`backhand solve` in a terminal must start quickly."""
    code = (
        "import sys; from backhand import writers; writers.load('text'); "
        "heavy = 'html json rich numpy lark click base64 backhand.writers.mathml'.split(); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "[]\n"


# -- wide networks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("formula", ["({})^2", "tanh({})", "{}"], ids=["square", "tanh", "sum"])
def test_a_wide_network_is_written_in_proportion_to_its_width(formula: str, form: str) -> None:
    """Not the whole formula again for each of its names."""
    sizes = [length(formula, form, width) for width in (150, 300)]
    assert sizes[1] < 2.3 * sizes[0]


def length(formula: str, form: str, width: int) -> int:
    names = [f"x{n}" for n in range(100, 100 + width)]
    text = f"input {', '.join(f'{name} = 0.001' for name in names)}\nL = {formula.format(' + '.join(names))}"
    return sum(map(len, formatted(backhand.solve(backhand.read(text), paths=True), form, detail="full")))
