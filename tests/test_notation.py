"""The notation people type: one test a rule."""

from __future__ import annotations

from fractions import Fraction

import pytest

import backhand
from backhand.core import notation, notation_tables, tables
from backhand.core.evaluate import evaluate
from backhand.core.formula import fold, to_text
from backhand.errors import BackhandError, ReadError, SeveralErrors


def value(text: str, **values: int) -> object:
    """A formula's value at whole numbers."""
    return evaluate(notation.formula(text), {name: Fraction(v) for name, v in values.items()})


def solved(net: str, name: str) -> object:
    return backhand.solve(backhand.read(net)).value(name)


def error(net: str) -> str:
    with pytest.raises(BackhandError) as caught:
        backhand.read(net, name="q.bh")
    return str(caught.value)


# -- formulas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("2^3^2", 512),
        ("2**3", 8),
        ("2^-1", Fraction(1, 2)),
        ("x²", 9),
        ("x⁻¹", Fraction(1, 3)),
        ("2 x", 6),
        ("(2)(3)", 6),
        ("2(3)", 6),
        ("x y", 15),
        ("x(y)", 15),
        ("1/2 x", Fraction(3, 2)),
        ("1/2 (x - 1)^2", 2),
        ("12/2/3", 2),
        ("8 - 3 - 2", 3),
        ("2·3", 6),
        ("2×3", 6),
        ("5 − 2", 3),
        ("½ y", Fraction(5, 2)),
        ("2e0", 2),
        ("1.5e1", 15),
        (".5", Fraction(1, 2)),
        ("4.", 4),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("max(x, y)", 5),
        ("max(1, x, y, 2)", 5),
        ("abs(-x)", 3),
        ("-x^2", -9),
        ("- -x", 3),
        ("x - -y", 8),
        ("2 x^2 y", 90),
        ("y/x y", Fraction(25, 3)),
        ("log(1)", 0),
    ],
)
def test_what_a_formula_means(text: str, result: object) -> None:
    assert value(text, x=3, y=5) == result


def test_a_name_before_parentheses_is_a_call_if_the_table_has_it_else_a_product() -> None:
    assert solved("a = 3\nL = a(2)", "L") == 6
    assert solved("x = 0\nL = exp(x)", "L") == 1


def test_a_files_own_names_win() -> None:
    assert solved("exp = 3\nL = exp(2)", "L") == 6
    assert solved("e = 2\nL = e^2", "L") == 4
    assert solved("max = 2\nL = max (3)^2", "L") == 18


def test_e_and_pi_are_constants_unless_defined() -> None:
    assert isinstance(solved("x = 1\nL = e x", "L"), float)
    assert isinstance(solved("x = 1\nL = π x + pi", "L"), float)


def test_a_quotient_before_a_juxtaposed_factor_draws_a_notice_that_shows_the_reading() -> None:
    graph = backhand.read("a = 1, b = 2, c = 3\nL = a/b c")
    assert ["a/b c is read from left to right, as (a/b) c." in n.words for n in graph.notices] == [True]
    assert not backhand.read("c = 3\nL = 1/2 c").notices


def test_names_run_together_are_one_name_and_the_error_asks() -> None:
    assert "Did you mean w1 x1?" in error("w1 = 2, x1 = 3\nL = w1x1")


@pytest.mark.parametrize(
    "name", ["B_1", "B_{1}", "B₁", "x'", "x′", "δ2", "out_h1", "w[A1,B1]", "θ_{out}", "Straße", "c#1"]
)
def test_names(name: str) -> None:
    graph = backhand.read(f"{name} = 2\nL = {name} + 1")
    assert solved(str(graph), "L") == 3


def test_subscript_digits_and_primes_are_read_as_what_they_mean() -> None:
    assert "B1" in backhand.read("B₁ = 2\nL = B1")
    assert "x'" in backhand.read("x′ = 2\nL = x'")


def test_d_of_something_by_something_is_one_token() -> None:
    assert fold(notation.formula("2 dL/dB1"), to_text, lambda node, parts: "|".join(parts)) == "2|dL/dB1"
    assert "dL/dB1 is a derivative" in error("B1 = 2\nL = dL/dB1")


def test_own_names_that_look_like_derivatives_are_a_quotient() -> None:
    assert solved("dy = 6\ndx = 3\nL = 2 dy/dx^2", "L") == Fraction(12, 9)


# -- lines --------------------------------------------------------------------------------------------------------


def test_a_bare_number_is_an_input_and_words_set_the_kind_for_their_line() -> None:
    graph = backhand.read("x = 2\nweight w = 1, v = 3\nbiases b = 0\ntarget t = 1\nconstant k = 2\nL = x w v b t k")
    kinds = {q.name: q.kind for q in graph.quantities}
    assert kinds == {
        "x": "input",
        "w": "weight",
        "v": "weight",
        "b": "bias",
        "t": "target",
        "k": "constant",
        "L": "computed",
    }


def test_a_target_is_only_what_is_called_target() -> None:
    assert backhand.read("t = 3\nL = t")["t"].kind == "input"


def test_the_words_are_ordinary_names_elsewhere() -> None:
    assert solved("input = 3\nweight = 2\nL = input weight", "L") == 6


def test_order_is_free() -> None:
    assert solved("L = (D - t)^2\nD = 2 x\nx = 3\nt = 1", "L") == 25


def test_lines_join_while_a_bracket_is_open_and_comments_are_left_out() -> None:
    assert solved("x = 3 # three\nL = (x\n   + 1 # one more\n)^2", "L") == 16


@pytest.mark.parametrize("arrow", ["->", "-->", "→", "−>"])
def test_arrows(arrow: str) -> None:
    assert solved(f"A = 3\nA {arrow} B : 2\nL = B", "B") == 6


def test_the_weight_of_an_arrow_is_called_after_it() -> None:
    graph = backhand.read("A = 3\nA -> B : 2\nL = B w[A, B]")
    assert backhand.solve(graph).derivative("w[A,B]") == 12


def test_an_arrow_may_name_its_weight_and_two_may_share_it() -> None:
    solution = backhand.solve(backhand.read("A = 3, B = 4\nA -> C : w = 2\nB -> D : w\nL = C D"))
    assert solution.derivative("w") == 48


def test_an_arrow_without_a_weight_is_an_error_with_a_cure() -> None:
    assert "A -> B : 1" in error("A = 1\nA -> B")


def test_a_unit_with_an_activation_is_a_sum_and_the_unit() -> None:
    graph = backhand.read("A = 2\nA -> B : 3\nB : relu, bias b1 = 0.5\nL = B^2")
    assert [q.name for q in graph.quantities if q.computed] == ["z[B]", "B", "L"]
    assert backhand.solve(graph).value("z[B]") == Fraction(13, 2)


def test_a_bias_is_called_after_its_unit_or_named() -> None:
    graph = backhand.read("A = 2\nA -> B : 3\nA -> C : 1\nB : bias 1\nC : tanh, bias c0 = 0\nL = B C")
    assert graph["b[B]"].kind == graph["c0"].kind == "bias"


def test_a_unit_has_arrows_or_an_equation_never_both() -> None:
    assert "equation (line 3) and also arrows" in error("A = 1\nA -> B : 2\nB = A")


def test_a_second_definition_is_an_error_naming_both_lines() -> None:
    message = error("x = 1\ny = x\nx = 2")
    assert "q.bh:3:1" in message and "line 1" in message


def test_a_redefinition_from_itself_makes_a_version() -> None:
    graph = backhand.read("a = 1\nc = 2 a\nc = c + 1\nc = c c\nL = c")
    solution = backhand.solve(graph)
    assert [solution.value(name) for name in ("c#1", "c#2", "c")] == [2, 3, 9]


def test_between_two_versions_a_name_means_the_earlier_as_in_code() -> None:
    assert solved("c = 2\nd = 10 c\nc = c + 1\nL = c + d", "L") == 23


def test_a_question_mark_is_a_symbol_without_a_value() -> None:
    graph = backhand.read("x = ?\nA = 1\nA -> B : ?\nL = x B")
    assert [q.name for q in graph.quantities if q.symbolic] == ["x", "w[A,B]"]


def test_commas_separate_definitions_only_outside_brackets() -> None:
    assert solved("x = max(1, 2), y = 3\nL = x y", "L") == 6


# -- the output, and what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "output"),
    [
        ("x = 1\nL = x\ny = L", "L"),
        ("x = 1\ny = x\nz = y", "z"),
        ("x = 1\na = x\nb = x", "b"),
        ("x = 1\nL = x\ny = x\nask derivatives of y", "y"),
    ],
)
def test_the_output(net: str, output: str) -> None:
    assert backhand.solve(backhand.read(net)).of == output


def test_the_last_of_several_outputs_is_taken_with_a_notice() -> None:
    solution = backhand.solve(backhand.read("x = 1\na = x\nb = x"))
    assert "b is taken as the output" in solution.notices[0].words


def test_asks() -> None:
    graph = backhand.read("x = 1, y = 2\nL = x y\nask values, derivatives of L by x and y, dL/dx, L, pairs")
    assert [str(ask) for ask in graph.asks] == ["values", "derivatives of L by x y", "dL/dx", "L", "pairs"]


def test_a_wrong_ask_is_located() -> None:
    assert "q.bh:3:5" in error("x = 1\nL = x\nask derivatives of M")


# -- errors -----------------------------------------------------------------------------------------------------------


def test_all_errors_of_a_file_come_in_one_go_each_with_place_caret_and_cure() -> None:
    with pytest.raises(SeveralErrors) as caught:
        backhand.read("x = 1.2.3\ny = 2 +\nz = sin(1, 2)\nC1 = 1\nL = Cl + q", name="q.bh")
    places = [(e.span.line, e.span.column) for e in caught.value.errors if e.span]
    assert places == [(1, 5), (2, 7), (3, 5), (5, 5), (5, 10)]
    assert "Did you mean C1?" in str(caught.value)
    assert "\n    y = 2 +\n          ^\n" in str(caught.value) + "\n"


def test_a_name_whose_own_line_is_broken_is_not_called_undefined() -> None:
    with pytest.raises(ReadError) as caught:
        backhand.read("x = 2 +\nL = x^2")
    assert caught.value.span is not None and caught.value.span.line == 1


# -- round trips and tables ---------------------------------------------------------------------------------------------


NETS = [
    "x = 1/3, y = -2\nL = -x^2 + (y - 1)/(x y)",
    "A = 1\nA -> B : -2\nA -> C : w = 3\nB -> D : w\nC -> D : ?\nB : relu\nC : leaky_relu(0.1), bias b1 = 0.5\nD : bias 2\ntarget t = 1\nL = (D - t)^2\nask values, derivatives of L by w",
    "c = 1\nc = c + 1\nL = c",
    "input x = sqrt(2)\nL = 2(3) x x' - x'' (x)\nx' = 2\nx'' = 3e-5",
]


@pytest.mark.parametrize("net", NETS)
def test_a_graph_prints_to_the_notation_and_reads_back_equal(net: str) -> None:
    graph = backhand.read(net)
    assert backhand.read(str(graph)) == graph
    assert str(backhand.read(str(graph))) == str(graph)


def test_the_grammar_has_no_conflicts() -> None:
    """Lark settles shift/reduce conflicts silently unless told to be strict."""
    from lark import Lark

    Lark(notation.grammar(), strict=True, **notation.OPTIONS)


def test_the_tables_were_made_from_these_grammars() -> None:
    assert tables.digest() == notation_tables.DIGEST, "run: python -m backhand.core.tables"


@pytest.mark.parametrize("text", ["2 a + b/c (d - 1)^2", "-w[A,B] x'", "tanh(2(3) - z)^-1", "dL/dB1 dB1/dA1"])
def test_parsers_from_tables_and_from_the_grammar_read_alike(text: str) -> None:
    from lark import Lark

    made = Lark(
        notation.grammar(),
        **notation.OPTIONS,
        transformer=notation._Calls(),
        lexer_callbacks={"NAME": notation._told_apart},
    )
    fast = notation.formula(text)
    notation._makers.current.offset = 0
    assert to_text(made.parse(text, start="formula")) == to_text(fast)


# -- as books and programs write it ----------------------------------------------------------------------------------

ARRAYS = "W = [[1, 2], [3, 4], [5, 6]]\nX = [[1, 2], [2, 1]]\nx = [1, 2]\nids = [1, 0]\n"


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("y = W^T x", "The transpose is written W.T."),
        ("y = np.dot(W, x)", "The product of matrices is written W @ x."),
        ("y = np.exp(x)", "Functions stand here without their library: exp(...)."),
        ("y = np.array([1, 2])", "Write the array itself, [1, 2]"),
        ("y = x.sum()", "Functions stand in front of what they are taken of: sum(x)."),
        ("y = maxpool(X, 2)", "Did you mean max_pool?"),
        ("y = Softmax(x, axis=0)", "Did you mean softmax?"),
        ("y = attention(X, X, X, mask=X)", "Write X without mask=."),
        ("y = W[ids]", "by a list of numbers as gather(W, ids)"),
        ("y = x_1", "An element of x is written x[1], counted from 0"),
        ("y = h_{t-1}", "Write each step out"),
        ("y = ||x||^2", "sum(x^2) for the square of a norm"),
        ("y = √2", "Write sqrt(x) for a root."),
        ("y = X + [-inf, 0]", "In a mask, -1e9 does as well."),
        ("y = W * x + [1, 2, 3]", "the product of matrices is W @ x, a vector of 3."),
        ("y = (1, 2)", "An array stands in square brackets"),
        ("sum = 3, y = sum(x, axis=0)", "Call the quantity something else to use the function sum."),
    ],
)
def test_what_books_and_programs_write_is_told_how_it_is_written_here(line: str, cure: str) -> None:
    assert cure in error(ARRAYS + line)


def test_a_short_name_is_not_taken_for_a_function() -> None:
    assert "Did you mean" not in error("z = 2 b")


@pytest.mark.parametrize(("sign", "plain"), [("Xᵀ @ x", "X.T @ x"), ("x ⊙ x", "x*x")])
def test_what_is_printed_can_be_typed(sign: str, plain: str) -> None:
    assert solved(f"{ARRAYS}L = sum({sign})", "L") == solved(f"{ARRAYS}L = sum({plain})", "L")


def test_a_column_that_meets_a_vector_is_never_silent() -> None:
    net = "Y = [[1], [2]]\nT = [3, 4]\n"
    for formula in ("mse(Y, T)", "sum((Y - T)^2)", "mean(Y*T)"):
        [notice] = backhand.solve(backhand.read(f"{net}L = {formula}")).notices
        assert "2 x 1 meets a vector of 2" in notice.words
        assert notice.words.endswith("write reshape(Y, 2).")
    for formula in ("mse(reshape(Y, 2), T)", "sum(Y - [[3], [4]])", "sum(Y + 1)", "sum(Y @ [[1, 2]] + T)"):
        assert not backhand.solve(backhand.read(f"{net}L = {formula}")).notices, formula


def test_a_matrix_beside_a_vector_is_said_to_be_no_product_of_matrices() -> None:
    net = "W = [[1, 2], [2, 1]]\nx = [3, 4]\n"
    [notice] = backhand.solve(backhand.read(f"{net}L = sum(W x)")).notices
    assert notice.words == "L: W x is taken element by element. The product of matrices is W @ x, a vector of 2."
    for formula in ("sum(W*x)", "sum(2 W)", "sum([1, 2, 3] x[0])", "sum(sum(W) x)"):
        assert not backhand.solve(backhand.read(f"{net}L = {formula}")).notices, formula
