r"""From LaTeX, plain text, Unicode and code to the same few tokens.

    \frac{\partial L}{\partial B_1} = (2)(1)      SLOPE L|B_1   EQUALS   OPEN NUMBER CLOSE OPEN NUMBER CLOSE
    ∂L/∂B₁ = 2·1                                  SLOPE L|B1    EQUALS   NUMBER TIMES NUMBER

One pass from left to right; what a name, a number or a derivative looks like is a regular expression
that cannot go back over what it has read. Nothing is refused here: a sign that is not known becomes
a BAD token that says why, and the formula around it is then not read.

Kinds are the terminals of `core/answer.lark`, and for what stands between formulas: EQUALS (= or ≈),
ARROW, COMPARE, SEMI (; and whatever separates statements), ROW, COMMA, COLON, DOT, WORD (letters in
running text), PROSE, BOX and ENDBOX, NOTE, BEGIN and END, AT (a point: |_{x=1}), AMP, EDGE.

To add a command of LaTeX, add a row to COMMANDS.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from backhand.core.answers import GREEK, HATS, LOOKALIKES, Token
from backhand.core.notation import SUBSCRIPTS, VULGAR
from backhand.core.operations import ARRAY_FUNCTIONS, FUNCTIONS

Mode: TypeAlias = Literal["math", "text", "code"]

# -- what things look like ---------------------------------------------------------------------------------

GREEK_COMMANDS = {name: letter for letter, name in reversed(GREEK.items())} | {
    "varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "varsigma": "σ", "varrho": "ρ", "ell": "l", "epsilon": "ε",
}  # fmt: skip

L = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff\u2113"
BLANK = r"[ \t\r\n\f\v\u00a0\u2000-\u200a\u2028\u2029\u202f\u3000\u0085]"
_BRACED = r"\{[^{}\n]{0,60}(?:\{[^{}\n]{0,40}\}[^{}\n]{0,40}){0,3}\}"
_GREEK = r"\\(?:" + "|".join(sorted(GREEK_COMMANDS, key=lambda name: (-len(name), name))) + r")(?![A-Za-z])"
_FONT = r"\\(?:mathrm|mathbf|mathit|mathsf|mathcal|boldsymbol|bm|text|textrm|textit|textbf|operatorname|vec)"
_ACCENT = r"\\(?:hat|widehat|tilde|widetilde)"
_MARK = rf"(?:{_FONT}|{_ACCENT})\s*+(?:\{{\s*+(?:\\?[{L}0-9]++\s*+)\}}|\\?[{L}](?![{L}]))"
_SUPER = (
    rf"\^\s*+(?:\{{\s*+(?:\(\s*+[{L}0-9+-]{{1,8}}\s*+\)|\[\s*+[{L}0-9+-]{{1,8}}\s*+\]|[+*]|'+|\\prime|\\ast|\\star|\\top|"
    rf"\\intercal|T|new|old|{_FONT}\s*+\{{[{L}0-9]{{1,10}}\}})\s*+\}}|\\prime|\\ast|\\star|\\top|T(?![{L}0-9_])|\*(?![*0-9({L}]))"
)
_ARROW = r"(?:→|->|\\to(?![A-Za-z])|\\(?:long)?rightarrow(?![A-Za-z]))"
_INDEX = (
    rf"(?:\[\s*+['\"]?[{L}0-9_.]++['\"]?\s*+(?:,\s*+[{L}0-9_]++\s*+){{0,3}}\]"
    rf"|\(\s*+[{L}][{L}0-9_]*+\s*+{_ARROW}\s*+[{L}][{L}0-9_]*+\s*+\))"
)
_BASE = rf"(?:{_MARK}|{_GREEK}|[{L}](?:[{L}0-9\u2080-\u2089\u0302\u0303]|\\_)*+)"
_SUB = rf"_\s*+(?:{_BRACED}|{_FONT}\s*+\{{[^{{}}\n]{{0,40}}\}}|{_GREEK}|[0-9]++|[{L}][{L}0-9]*+)"
_SUFFIXES = rf"(?:\s*+(?:{_SUB}|{_SUPER}))*+(?:['′’](?!s\b)|\\prime)*+(?:{_INDEX})?"
_NAME = _BASE + _SUFFIXES
_GAP = r"(?:\s|\\[,;:! ])*+"
_D = r"(?:\\partial(?![A-Za-z])|∂|d|\\(?:mathrm|text|operatorname|rm)\s*+\{\s*+d\s*+\}|\\d(?![A-Za-z]))"
_DELTA = r"(?:\\delta(?![A-Za-z])|δ)"
_DD = rf"(?:{_D}|{_DELTA})"

NAME = re.compile(_BASE)
SUB = re.compile(rf"\s*+{_SUB}")
SUB_LETTER = re.compile(rf"\s*+_\s*+([{L}])[{L}]+_")
SUPER = re.compile(rf"\s*+{_SUPER}")
PRIMES = re.compile(r"(?:['′’](?!s\b)|\s*+\\prime(?![A-Za-z])|\s*+\^\s*+\\prime(?![A-Za-z]))++")
PER_CENT = re.compile(r"\s?(?:\\%|%)(?![A-Za-z0-9(])")
LONE_NUMBER = re.compile(r"\s*+[-−+]?\s*+(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?\s*+")
INDEX = re.compile(_INDEX)
TRANSPOSED = re.compile(r"\.T(?![A-Za-z0-9_])")
METHOD = re.compile(r"\.(grad(?:ient)?|data|item\(\)|detach\(\)|value|numpy\(\))(?![A-Za-z0-9_(])")
ARRAY_METHOD = re.compile(r"\.(sum|mean|dot|max|min|reshape|transpose|var)\(\s*+")
TAKEN_BY = re.compile(rf"\.(?:diff|derivative)\(\s*+([{L}_][{L}0-9_]*+)\s*+\)")
FUNCTION_CALLED = re.compile(r"\.([a-z][a-z0-9_]*+)\(\s*+\)")
CALLED = re.compile(r"\.(?=[a-z_][a-z0-9_]*+!?\()")
"""`x.sin()`, and what else is called on a name: `x.powi(2)`, `tape.mul(a, b)`."""
DASHES = re.compile(r"--(?=\s)")
ATTRIBUTE = re.compile(r"\.[a-z_][A-Za-z0-9_]*+(?=[ \t]*+(?:[=+*/)\n]|-(?!>)|$))")
"""`b.dv`, in a formula or on the left of one."""
EQUATION_AHEAD = re.compile(rf"[{L}][{L}0-9_\u2080-\u2089]*+['′’]*+(?:\(\s*+{_NAME}\s*+\))?\s*+=")
CODE_NAME = re.compile(rf"[{L}_][{L}0-9_\u2080-\u2089]*+['′]*+")
FRACTION_SLOPE = re.compile(
    rf"\\[dtc]?frac\s*+\{{\s*+{_DD}{_GAP}({_NAME})?\s*+\}}\s*+\{{\s*+{_DD}{_GAP}(?:({_NAME})|\(\s*+({_NAME})\s*+\))\s*+\}}"
)
FRACTION_OPEN = re.compile(rf"\\[dtc]?frac\s*+\{{\s*+{_D}(?![A-Za-z0-9_])\s*+")
OF_BY = re.compile(rf"\s*+\{{\s*+({_NAME})\s*+\}}\s*+\{{\s*+({_NAME})\s*+\}}")
"""What follows `\\pdv`, of the package physics."""
BELOW = re.compile(rf"\s*+\{{\s*+{_D}{_GAP}({_NAME})\s*+\}}")
SECOND = re.compile(rf"\\[dtc]?frac\s*+\{{\s*+{_D}\s*+\^")
SLASH_SLOPE = re.compile(
    rf"(?:{_D}\s*+({_NAME})?\s*+/\s*+{_D}\s*+({_NAME})|{_DELTA}\s*+({_NAME})\s*+/\s*+{_DELTA}\s*+({_NAME}))"
)
SHOUTED = re.compile(r"D([A-Z][A-Z0-9_]*+)\s*+/\s*+D([A-Z][A-Z0-9_]*+)(?![A-Za-z])")
NABLA = re.compile(
    rf"(?:\\nabla(?![A-Za-z])|∇|\\partial(?![A-Za-z])|∂)\s*+_\s*+(?:\{{\s*+({_NAME})\s*+\}}|({_BASE}))\s*+({_NAME})"
)
BAR = re.compile(rf"\\(bar|overline|dot)(?![A-Za-z])\s*+(?:\{{\s*+({_NAME})\s*+\}}|({_GREEK}|[{L}]))((?:\s*+{_SUB})?)")
MACRON = re.compile(rf"([{L}][0-9\u2080-\u2089]*+)([\u0304\u0305\u0307])((?:{_SUB}|[0-9\u2080-\u2089]++)?)")
PRIME_CALL = re.compile(rf"\s*+(?:\\left\s*+)?\(\s*+({_NAME})\s*+(?:\\right\s*+)?\)")
AT = re.compile(
    rf"(?:\\(?:right|left|[bB]igg?[lrm]?)\s*+)*+(?:\||\\[rl]?vert(?![A-Za-z])|\\mid(?![A-Za-z]))\s*+"
    rf"(?:_\s*+(?:({_BRACED})|\(([^()\n]{{0,80}})\)|({_NAME}\s*+=\s*+[-−]?[0-9.]++))|({_NAME}\s*+=\s*+[-−]?[0-9.]*[0-9])"
    rf"|\(\s*+({_NAME}\s*+=\s*+[-−]?[0-9.]*[0-9])\s*+\))"
)
_DIGITS = r"[0-9]++"
NUMBER = re.compile(
    rf"(?:{_DIGITS}(?:\\[,;]\s*+[0-9]{{3}}(?![0-9]))++|{_DIGITS}\{{,\}}{_DIGITS}|{_DIGITS}(?:\.{_DIGITS}|\.(?=\s*+[*/=)\]}},;]|\\|[ \t]*+\\))?|\.{_DIGITS})"
    rf"(?:[eE][+−-]?{_DIGITS}(?![{L}_]))?"
)
COMMA_NUMBER = re.compile(rf"{_DIGITS},{_DIGITS}(?:[eE][+−-]?{_DIGITS})?(?![0-9.,])")
MORE_DIGITS = re.compile(r"[0-9]*(?:[.,][0-9]+)+")
LOOKALIKE = re.compile(r"[0-9][0-9.]*[OolI]+[0-9.]*(?![A-Za-z0-9_^({])|[OolI][0-9]*\.[0-9OolI]+(?![A-Za-z0-9_(])")
SPACE = re.compile(BLANK + "+")
ABSOLUTE = re.compile(rf"\|((?![\s_])[^|=≈<>,;\n]{{1,60}})(?<!\s)\|(?![{L}0-9_=|])")
NUMBERED = re.compile(rf"(?:{_GREEK}|[{L}])(?:_?[0-9]|[\u2080-\u2089]|_\{{)")
FOREIGN = re.compile(rf"(?:(?![{L}])[^\W\d_])+")
NUMBERED_LABEL = re.compile(r"[0-9]{1,2}\s*[:：]")
SUMS_IN_WORDS = frozenset("加减減乘除倍")
"""Signs of Chinese that say plus, minus, times, over."""
STATES = re.compile(
    r"(?:Value|Scalar|Tensor|Node|Var|Variable)\(\s*+data\s*+=\s*+([-−]?[0-9.]++(?:[eE][+-]?[0-9]++)?)\s*+,\s*+"
    r"grad\s*+=\s*+([-−]?[0-9.]++(?:[eE][+-]?[0-9]++)?)\s*+\)"
)
HYPHENED = re.compile(rf"[{L}]{{2,}}(?:[-‐‑][{L}]{{2,}})+")
CALL_AHEAD = re.compile(
    r"\s*+(?:(?:\^\s*+(?:\{[^{}\n]{1,20}\}|[0-9]+)|[²³⁴])\s*+)?(?:\\left\s*+|\\[bB]igg?l?\s*+)?(?:\(|\[|\\\{|\\left\\lbrace)"
)
BARE_AHEAD = re.compile(
    rf"(?:\s*+(?:\^\s*+(?:\{{[^{{}}\n]{{1,20}}\}}|[0-9])|[²³⁴]))?[ \t]*+(?:\\|{{|[0-9.]|[{L}](?![{L}]))"
)
ENVIRONMENT = re.compile(r"\s*+\{\s*+([A-Za-z]+\*?)\s*+\}")
COLUMNS = re.compile(r"\s*+(?:\[[^\]\n]{0,20}\])?\s*+\{[^{}\n]{0,40}\}")
NOTE_AHEAD = re.compile(r"\s*+\\begin\s*+\{\s*+(?:array|cases|aligned|align|gathered|matrix|split|alignedat)\*?\s*+\}")
BRACE_ARGUMENT = re.compile(r"\s*+\{")
SINGLE = re.compile(rf"\s*+(?:([0-9])|({_GREEK}|[{L}]))")
AT_NUMBER = re.compile(r"\s*+(?:\\left\s*+)?\(\s*+[-−]?[0-9.]++\s*+(?:\\right\s*+)?\)")
PRINTED = re.compile(
    r"(?:torch\.)?(?:tensor|Tensor|array|float|float64|float32|Scalar|Value)\(\s*+\[?\s*+([-−]?[0-9.]++(?:[eE][+-]?[0-9]++)?)\s*+\]?"
    r"(?:,[^()\n]{0,60}(?:\([^()\n]{0,40}\))?)?\)"
)
DASHED = re.compile(rf"\s*+(?:[0-9.(\[\\]|[{L}][0-9_]*+(?![{L}]))")
SIGN_AHEAD = re.compile(r"[ \t]*[-+=*/^·)−]")
RESPECT = re.compile(r"w\.?\s?r\.?\s?t\.?(?![A-Za-z0-9_])")
SUPERSCRIPT = re.compile(r"[\u207a\u207b]?[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+")
MODULE = re.compile(r"(?:np|numpy|math|torch|tf|F|jnp|cmath|nn|K|mpmath|sp|sympy)\.(?:functional\.)?(?=[a-z])")

MASTER = re.compile(
    rf"(?P<blank>{BLANK}++)|(?P<number>[0-9]|\.[0-9])|(?P<command>\\(?:[A-Za-z]++\*?|[^A-Za-z]|$))|(?P<letter>[{L}∂∇])|(?P<sign>.)",
    re.DOTALL,
)

TURN = "⊤"
"""What an exponent that turns a matrix becomes, where it cannot be a quantity by the name of T."""
ARRAY_LETTER = "\u0226"
"""With it begin the names that `array_text` gives to arrays."""

# -- the table of commands: what they become -----------------------------------------------------------------

SKIP, TRANSPARENT = ("", ""), ("transparent", "")
COMMANDS: dict[str, tuple[str, str]] = {
    **dict.fromkeys("cdot times ast bullet odot star".split(), ("TIMES", "·")),
    **dict.fromkeys("* .".split(), ("TIMES", "*")),
    "div": ("OVER", "/"),
    "-": ("MINUS", "-"),
    "+": ("PLUS", "+"),
    **dict.fromkeys("to rightarrow longrightarrow".split(), ("ARROW", "->")),
    **dict.fromkeys("Rightarrow implies Longrightarrow therefore iff Leftrightarrow "
                    "leadsto Longleftrightarrow leftrightarrow hookrightarrow mapsto Rrightarrow".split(), ("ARROW", "=>")),
    **dict.fromkeys("approx simeq cong sim doteq approxeq thickapprox fallingdotseq".split(), ("EQUALS", "≈")),
    **dict.fromkeys("equiv triangleq coloneqq coloneq eqqcolon".split(), ("EQUALS", "=")),
    **dict.fromkeys("le leq ge geq lt gt ne neq leqslant geqslant ll gg propto in notin".split(), ("COMPARE", "")),
    **dict.fromkeys("quad qquad enspace hfill hfil tag newpage par noindent checkmark square blacksquare Box qed land and "
                    "wedge because hline newline vspace smallskip medskip bigskip".split(), ("SEMI", "")),
    **dict.fromkeys([",", ";", ":", "!", " ", "\t", "\n", "/", "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits",
                     "nonumber", "notag", "thinspace", "medspace", "thickspace", "negthinspace", "allowbreak", "big", "Big",
                     "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "bigm", "centering",
                     "large", "Large", "LARGE", "huge", "Huge", "tiny", "small", "footnotesize", "scriptsize", "normalsize", "bf", "rm", "it", "boldmath", "strut", "relax", "(", ")", "[", "]",
                     "middle"], SKIP),
    **dict.fromkeys("boxed fbox framebox bbox".split(), ("BOX", "")),
    **dict.fromkeys("underline underbrace overbrace mathbin mathrel mathord ensuremath mbox "
                    "mathstrut smash".split(), TRANSPARENT),
    **dict.fromkeys("label color tag ref eqref hspace phantom hphantom vphantom vspace cite".split(), ("drop", "")),
    **dict.fromkeys("cancel bcancel xcancel".split(), ("BAD", "What stands for what is crossed out here cannot be told.")),
    "textcolor": ("drop", "transparent"),
    "colorbox": ("drop", "transparent"),
    **dict.fromkeys("ldots dots cdots dotsc dotsb vdots ddots".split(), ("ELLIPSIS", "")),
    **dict.fromkeys("text textrm textbf textit textsf texttt textnormal mathrm mathbf mathit mathsf mathcal boldsymbol bm "
                    "operatorname operatorname*".split(), ("words", "")),
    **dict.fromkeys("hat widehat tilde widetilde vec".split(), ("name", "")),
    **dict.fromkeys("bar overline dot".split(), ("bar", "")),
    **dict.fromkeys("partial nabla".split(), ("letter", "")),
    **dict.fromkeys(GREEK_COMMANDS, ("name", "")),
    **dict.fromkeys("frac dfrac tfrac cfrac".split(), ("fraction", "")),
    "sqrt": ("root", ""),
    "left": ("left", ""),
    "right": ("right", ""),
    "begin": ("begin", ""),
    "end": ("end", ""),
    "{": ("OPEN", "{"),
    "}": ("CLOSE", "}"),
    "lbrace": ("OPEN", "{"),
    "rbrace": ("CLOSE", "}"),
    "lbrack": ("OPEN", "["),
    "rbrack": ("CLOSE", "]"),
    **dict.fromkeys("lvert lVert".split(), ("BAR", "|")),
    **dict.fromkeys("rvert rVert vert mid".split(), ("pipe", "|")),
    "|": ("pipe", "|"),
    "\\": ("ROW", ""),
    "cr": ("ROW", ""),
    "_": ("BAD", "A _ with nothing before it."),
    "&": ("SEMI", ""),
    "prime": ("PRIME", "'"),
    **dict.fromkeys("sum prod int oint lim".split(), ("BAD", "Sums, products and integrals by a sign are not read.")),
    **dict.fromkeys("def newcommand renewcommand let gdef edef input include write openin read csname".split(),
                    ("BAD", "Definitions of LaTeX are not carried out.")),
}  # fmt: skip

CALLS: dict[str, str] = {name: name for name in FUNCTIONS} | {
    "sigma": "sigmoid",
    "sig": "sigmoid",
    "arcsinh": "arcsinh",
    **{name.capitalize(): name for name in "sigmoid tanh relu softplus exp log ln max min sin cos".split()},
}
CALLS.pop("arcsinh")
"""Functions by the names that answers have for them."""

ARRAY_CALLS: dict[str, str] = {name: name for name in ARRAY_FUNCTIONS - {"load"}} | {
    "matmul": "matmul",
    "mm": "matmul",
    "multiply": "multiply",
    "Softmax": "softmax",
    **dict.fromkeys(("diag", "Diag", "diagflat"), "diag"),
    "einsum": "einsum",
    "amax": "max",
    "maximum": "max",
    "minimum": "min",
    "relu_derivative": "step",
    "\u01c1": "step",  # a condition, see array_text
}
"""The same for arrays."""

BARE = frozenset("sin cos tan sinh cosh tanh ln log exp sqrt sigmoid relu ReLU".split())
"""Functions that may stand before their argument without parentheses."""

SIGNS: dict[str, tuple[str, str]] = {
    "+": ("PLUS", "+"), **dict.fromkeys("-−–﹣－‑‒", ("MINUS", "-")),
    "*": ("TIMES", "*"), **dict.fromkeys("·×⋅∗∙•⊙✕✖", ("TIMES", "·")), **dict.fromkeys("/÷∕⁄", ("OVER", "/")),
    "^": ("TO", "^"), "(": ("OPEN", "("), ")": ("CLOSE", ")"), "[": ("OPEN", "["), "]": ("CLOSE", "]"),
    "{": ("LEFT", "{"), "}": ("RIGHT", "}"), "=": ("EQUALS", "="), **dict.fromkeys("≈≅≃∼≐", ("EQUALS", "≈")),
    "≡": ("EQUALS", "="), "≔": ("EQUALS", "="), **dict.fromkeys("⇒⟹∴⇔↦➔➜➡", ("ARROW", "=>")), **dict.fromkeys("→⟶", ("ARROW", "->")), **dict.fromkeys("<>≤≥≠∝", ("COMPARE", "")),
    **dict.fromkeys("；。", ("SEMI", "")), **dict.fromkeys("，、", ("COMMA", ",")), "：": ("COLON", ":"), "＝": ("EQUALS", "="), "（": ("OPEN", "("), "）": ("CLOSE", ")"),
    ";": ("SEMI", ""), ",": ("COMMA", ","), ":": ("COLON", ":"), ".": ("DOT", "."), "&": ("AMP", ""), "…": ("ELLIPSIS", ""),
    **dict.fromkeys("✓✔☑□■∎✗✘⇐←⟵∵", ("SEMI", "")), "!": ("BAD", "! is not read."), "?": ("PROSE", "?"), '"': ("PROSE", ""), "“": ("PROSE", ""), "”": ("PROSE", ""),
    "'": ("PRIME", "'"), "′": ("PRIME", "'"), "’": ("PRIME", "'"), "|": ("pipe", "|"), "#": ("hash", ""), "`": ("EDGE", ""), "√": ("root", ""),
    "%": ("BAD", "A % with no number before it."), "@": ("BAD", "Products of matrices are not read."), "_": ("BAD", "A _ with nothing before it."),
}  # fmt: skip
PAIRS = {
    "=>": ("ARROW", "=>"), "->": ("ARROW", "->"), "==": ("EQUALS", "="), ":=": ("EQUALS", "="), "~=": ("EQUALS", "≈"),
    "=~": ("EQUALS", "≈"), "<=": ("COMPARE", ""), ">=": ("COMPARE", ""), "!=": ("COMPARE", ""), "**": ("TO", "^"),
    "+=": ("COMPARE", "+="), "-=": ("COMPARE", "-="), "*=": ("COMPARE", "*="), "/=": ("COMPARE", "/="), "//": ("BAD", "// is not read."),
    "<-": ("SEMI", ""),
}  # fmt: skip
FEEDS = frozenset(["align", "aligned", "alignat", "alignedat", "gather", "gathered", "equation", "split", "multline", "array",
                   "eqnarray", "cases", "center", "flalign", "displaymath", "math", "dcases", "rcases", "document", "proof",
                   "itemize", "enumerate"])  # fmt: skip
BEFORE_OPERAND = frozenset(["PLUS", "MINUS", "TIMES", "OVER", "OPEN", "EQUALS", "TO", "LEFT"])


SHORT = frozenset(
    "an am as at be by do go he if in is it me my no of on or so to up us we the and but for not all any are can did get got "
    "had has her his how its let may new now old one our out per put run saw say see set she six sum ten too two use was "
    "way who why yes yet you add via end due etc i'm qed old try nor own off few far box row lot ago err ok hi".split()
) - {"out"}
"""Words of two and three letters; other such letters are likelier a name: xy, net, out."""

NAMES = frozenset(GREEK.values()) | {"yhat", "relu"}


def _is_word(said: str) -> bool:
    """Whether letters in running text may be a word at all."""
    return (len(said) > 3 or said.lower() in SHORT) and said not in NAMES


@dataclass(slots=True)
class Proposal:
    """A likely slip of the scanner, by offsets."""

    said: str
    meant: str
    start: int
    end: int


@lru_cache(8192)
def plain(text: str) -> str:
    r"""A name in normal form: no blanks, no fonts, Greek letters and digits as themselves.

    >>> plain(r"C _ { 1 }"), plain(r"\hat{y}"), plain(r"z^{(1)}"), plain(r"w_{1,2}"), plain(r"\delta_1")
    ('C_1', 'yhat', 'z^(1)', 'w_{1,2}', 'δ_1')
    """
    text = re.sub(rf"({_FONT})\s*", "", text) if "\\" in text else text
    if "\\" in text:
        text = re.sub(r"\\(?:wide)?(hat|tilde)\s*(?:\{\s*\\?(\w+)\s*\}|\\?(\w))", lambda m: (m[2] or m[3]) + m[1], text)
        text = text.replace("\\prime", "'").replace("\\top", "T").replace("\\intercal", "T").replace("\\_", "_")
        text = re.sub(r"\\(?:to|(?:long)?rightarrow)(?![A-Za-z])", "→", text)
        text = text.replace("\\ast", "*").replace("\\star", "*")
        text = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK_COMMANDS.get(m[1], m[1]), text)
    text = re.sub(r"(\w)\u0302", r"\1hat", text) if "\u0302" in text else text
    text = text.translate(ACCENTED)
    text = re.sub(r"\s+", "", text).replace("′", "'").replace("’", "'").translate(SUBSCRIPTS)
    text = text.replace('"', "").replace("['", "[").replace("']", "]")
    text = re.sub(r"(?<![_^])\{([^{}]*)\}", r"\1", text) if "{" in text else text
    text = re.sub(r"_\{+([^\W_]+)\}+", r"_\1", text) if "{" in text else text
    text = text.replace("->", "→")
    return re.sub(r"\^\{([^{}]*)\}", r"^\1", text) if "^" in text else text


ACCENTED = str.maketrans({letter: hat for letter, hat in HATS.items() if letter != "\u0302"})


ALL_IN_PARENTHESES = re.compile(rf"(?<![{L}0-9_])([d∂])\(([{L}][{L}0-9_]*+)\)(\s?/\s?[d∂])\(([{L}][{L}0-9_]*+)\)")
ENTITIES = {"&minus;": "-      ", "&middot;": "·       ", "&times;": "×      ", "&nbsp;": "      ", "&rArr;": "⇒     "}
"""Signs as HTML spells them, as long as before."""
BRACED_BY = re.compile(rf"(\\partial|∂)\{{([{L}][{L}0-9_]*+)\}}")
IN_PARENTHESES = re.compile(rf"((?<![{L}0-9_])[d∂][{L}0-9_]*+\s?/[d∂])\(([{L}][{L}0-9_]*+)\)")
CROSSED = re.compile(r"(\\[xb]?c)ancel\{((?:[^{}\n]|\{[^{}\n]{0,40}\}){1,120})\}(?!\s*[\^_])")
"""What is crossed out to shorten a fraction stands all the same."""
STYLED = {
    code: letter
    for code in (*range(0x1D400, 0x1D800), 0x210E)
    if len(letter := unicodedata.normalize("NFKC", chr(code))) == 1
} | {ord("∣"): "|"}
"""Letters and digits of the mathematical alphabets, as letters and digits."""


def _hundredth(number: str) -> str:
    """The number that per cent of it are, with all its digits: 0.731 for 73.1."""
    mantissa, _, exponent = number.partition("e")
    whole, _, part = mantissa.partition(".")
    digits = whole.rjust(3, "0")
    return f"{digits[:-2]}.{digits[-2:]}{part}" + (f"e{exponent}" if exponent else "")


def prepared(text: str) -> str:
    """A text as the tokenizer wants it, as long as before: letters without styles, \\partial{w} and d(u) without braces
    and parentheses, factors without the stroke through them. To be done once for a page."""
    if not text.isascii():
        text = text.translate(STYLED)
    if "{" in text:
        text = BRACED_BY.sub(r"\1 \2 ", text)
    if "cancel" in text:
        text = CROSSED.sub(lambda found: " " * (len(found[1]) + 6) + found[2] + " ", text)
    if "&" in text and ";" in text:
        for entity, sign in ENTITIES.items():
            text = text.replace(entity, sign)
    if "d(" in text or "∂(" in text:
        text = ALL_IN_PARENTHESES.sub(r"\1 \2 \3 \4 ", text)
    if "/d(" in text or "/∂(" in text:
        text = IN_PARENTHESES.sub(r"\1 \2 ", text)
    return text


@dataclass(slots=True)
class Tokenizer:
    """Appends the tokens of pieces of one text to `tokens`."""

    text: str
    decimal_comma: bool = False
    tokens: list[Token] = field(default_factory=list[Token])
    arrays: bool = False
    """Whether the page is about arrays: @, ⊙, transposes, and the functions of arrays are read."""
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    mode: Mode = "text"
    end: int = 0
    _ends: dict[int, str] = field(default_factory=dict[int, str])
    _pairs: dict[int, int] = field(default_factory=dict[int, int])
    _singles: set[int] = field(default_factory=set[int])
    _jumps: dict[int, int] = field(default_factory=dict[int, int])
    _lefts: list[str] = field(default_factory=list[str])
    _opened: list[bool] = field(default_factory=list[bool])
    _bars: set[int] = field(default_factory=set[int])

    def run(self, start: int, end: int, mode: Mode) -> None:
        """The tokens of text[start:end]."""
        self.mode, self.end = mode, end
        text, match = self.text, MASTER.match
        if "{" in text[start:end]:
            self._pair_braces(start, end)
        at = start
        while at < end:
            found = match(text, at, end)
            assert found is not None
            kind = found.lastgroup
            if kind == "blank":
                at = found.end()
                if at - found.start() > 2 and self.tokens and self._wide(found.start(), at):
                    self.add("SEMI", found.start(), at)
            elif at in self._singles:
                at = self._single(at)
            elif kind == "number":
                at = self._number(at)
            elif kind == "letter":
                at = self._letter(at)
            elif kind == "command":
                at = self._command(at, found.end())
            else:
                at = self._sign(at)

    def _wide(self, start: int, stop: int) -> bool:
        """Whether a wide gap divides two statements: `g(x) = x^2       g'(x) = 2x`."""
        if (
            self.tokens[-1][0] not in ("NUMBER", "NAME", "CLOSE", "RIGHT", "SUPERSCRIPT")
            or "\n" in self.text[start:stop]
        ):
            return False
        return EQUATION_AHEAD.match(self.text, stop, self.end) is not None

    def add(self, kind: str, start: int, end: int, said: str = "") -> int:
        self.tokens.append((kind, start, end, said))
        return end

    # -- numbers ---------------------------------------------------------------------------------------

    def _number(self, at: int) -> int:
        text, end = self.text, self.end
        if self.decimal_comma and (found := COMMA_NUMBER.match(text, at, end)):
            return self.add("NUMBER", at, found.end(), found[0].replace(",", ".").replace("−", "-"))
        found = NUMBER.match(text, at, end)
        if found is None:
            return self.add("BAD", at, at + 1, "Not a number.")
        stop = found.end()
        follows = text[stop : stop + 1] if stop < end else ""
        if follows and follows in ".,OolI" and (stopped := self._odd_number(at, stop, follows)):
            return stopped
        said = found[0]
        if not said[-1].isdigit() or not said.isalnum():
            said = re.sub(r"\\[,;]\s*", "", said).replace("{,}", ".").replace("−", "-")
        if self.mode != "code" and (found := PER_CENT.match(text, stop, end)) is not None:
            return self.add("NUMBER", at, found.end(), _hundredth(said))
        return self.add("NUMBER", at, stop, said)

    def _odd_number(self, at: int, stop: int, follows: str) -> int:
        """1.2.3, 1,234 and 1O are no numbers; 0 says that it is one after all."""
        text, end = self.text, self.end
        if follows in "OolI." and (found := LOOKALIKE.match(text, at, end)):
            self._propose(found)
            return self.add("BAD", at, found.end(), "A letter in a number.")
        if follows not in ".,":
            return 0
        found = MORE_DIGITS.match(text, stop, end)
        if found is None or (follows == "," and any(self._opened)):
            return 0
        words = "A number with two decimal points." if follows == "." else "A comma in a number can mean two things."
        return self.add("BAD", at, found.end(), words)

    def _look(self, start: int, end: int) -> None:
        """Letters of another alphabet in a name: `В1` may be typed for B1. A word of that language is none."""
        text = self.text
        said = text[start:end]
        if said.isascii() or (meant := said.translate(LOOKALIKES)) == said or not meant.isascii():
            return
        alone = len(said) == 1 and SIGN_AHEAD.match(text, end) is None and self.mode != "math"
        if alone or (len(said) > 1 and said.isalpha() and not any(letter.isascii() for letter in said)):
            return
        self.proposals.append(Proposal(said, meant, start, end))

    def _propose(self, found: re.Match[str]) -> None:
        meant = found[0].translate(str.maketrans("OolI|", "00111"))
        self.proposals.append(Proposal(found[0], meant, found.start(), found.end()))

    # -- letters: names, functions, derivatives ----------------------------------------------------------

    def _letter(self, at: int) -> int:
        text, end = self.text, self.end
        first = text[at]
        if first in "dD∂δ" or first == "\\":
            if first == "D" and (found := SHOUTED.match(text, at, end)):
                return self._slope(at, found.end(), found[1], found[2])
            found = SLASH_SLOPE.match(text, at, end)
            if found and first != "D":
                return self._slope(at, found.end(), found[1] or found[3] or "", found[2] or found[4])
        if first in "∂∇\\":
            found = NABLA.match(text, at, end)
            if found:
                return self._slope(at, found.end(), found[3], found[1] or found[2])
            return self.add("BAD", at, at + 1, "A derivative that is not written out.")
        if first in "OlI" and (found := LOOKALIKE.match(text, at, end)) and "." in found[0]:
            self._propose(found)
            return self.add("BAD", at, found.end(), "A letter in a number.")
        if first == "w" and self.mode == "text" and (found := RESPECT.match(text, at, end)):
            return self.add("WORD", at, found.end(), "wrt")
        if self.mode != "math" and (found := HYPHENED.match(text, at, end)):
            return self.add("WORD", at, found.end(), found[0])
        if self.mode != "math" and first in "tTafSnV" and (found := PRINTED.match(text, at, end)):
            return self._printed(found)
        if self.mode != "math" and first in "VSTN" and (found := STATES.match(text, at, end)):
            return self._stated(found)
        if self.mode != "math" and (found := MODULE.match(text, at, end)):
            at = found.end()
        if (found := MACRON.match(text, at, end)) is not None:
            name = plain(found[1] + found[3])
            return self.add("SLOPE", at, found.end(), f"{name}|" if found[2] == "\u0307" else f"|{name}")
        return self._name(at)

    def _printed(self, found: re.Match[str]) -> int:
        """tensor(4.): the number in it."""
        self.add("OPEN", found.start(), found.start(1), "(")
        at = found.start(1)
        if self.text[at] in "-−":
            at = self.add("MINUS", at, at + 1, "-")
        if NUMBER.fullmatch(self.text[at : found.end(1)].rstrip(".")):
            self.add("NUMBER", at, found.end(1), self.text[at : found.end(1)])
        else:
            self.add("BAD", at, found.end(1), "Not a number.")
        return self.add("CLOSE", found.end(1), found.end(), ")")

    def _stated(self, found: re.Match[str]) -> int:
        """`x = Value(data=2.0, grad=4.0)`: a value, and a derivative. A grad of 0 may not have been reached yet."""
        before = [token for token in self.tokens[-2:] if token[0] in ("NAME", "EQUALS")]
        self._signed(found, 1)
        grad = found[2].replace("−", "-")
        if len(before) == 2 and before[0][0] == "NAME" and any(digit in grad for digit in "123456789"):
            start = found.start(2)
            self.add("SEMI", start, start)
            self.add("SLOPE", start, start, f"|{before[0][3]}")
            self.add("EQUALS", start, start, "=")
            self._signed(found, 2)
        return found.end()

    def _signed(self, found: re.Match[str], group: int) -> None:
        at, end = found.span(group)
        if self.text[at] in "-−":
            at = self.add("MINUS", at, at + 1, "-")
        if NUMBER.fullmatch(self.text[at:end].rstrip(".")):
            self.add("NUMBER", at, end, self.text[at:end])
        else:
            self.add("BAD", at, end, "Not a number.")

    def _slope(self, start: int, end: int, of: str, by: str) -> int:
        self._look(start, end)
        if not of:
            return self.add("BY", start, end, plain(by))
        return self.add("SLOPE", start, end, f"{plain(of)}|{plain(by)}")

    def _name(self, at: int) -> int:
        text, end, mode = self.text, self.end, self.mode
        if mode == "code":
            found = CODE_NAME.match(text, at, end)
            stop = found.end() if found else at + 1
        else:
            found = NAME.match(text, at, end)
            stop = found.end() if found else at + 1
            base = text[at:stop].lstrip("\\")
            if base in CALLS and (called := self._function(at, stop, base)):
                return called
            if self.arrays and base in ARRAY_CALLS and text[stop : stop + 1] == "(":
                return self.add("CALL", at, stop, ARRAY_CALLS[base])
            stop = self._suffixes(stop)
        said = text[at:stop]
        if (
            mode == "code"
            and (base := said.rstrip("'′")) in CALLS
            and (called := self._function(at, at + len(base), base))
        ):
            return called
        if self.arrays and mode == "code" and said in ARRAY_CALLS and text[stop : stop + 1] == "(":
            return self.add("CALL", at, stop, ARRAY_CALLS[said])
        if self.arrays and (found := TRANSPOSED.match(text, stop, end)):
            if text[found.end() : found.end() + 1] == "." and (called := CALLED.match(text, found.end(), end)):
                return self._called_on(at, found.end(), called.end())
            return self.add("NAME", at, found.end(), plain(said) + "^T")
        index = INDEX.match(text, stop, end) if text[stop : stop + 1] in ("[", "(") and mode != "math" else None
        if index and said.lower() in ("grad", "grads", "gradient", "gradients", "adjoint", "adjoints"):
            return self.add("SLOPE", at, index.end(), f"|{plain(index[0][1:-1])}")
        if index:
            stop = index.end()
        if text[stop : stop + 1] == "." and (method := METHOD.match(text, stop, end)):
            if method[1].startswith("grad"):
                return self.add("SLOPE", at, method.end(), f"|{plain(text[at:stop])}")
            return self.add("NAME", at, method.end(), plain(text[at:stop]))
        if text[stop : stop + 1] == "." and mode != "math" and (called := CALLED.match(text, stop, end)):
            return self._called_on(at, stop, called.end())
        product = said[-1:].isdigit() and NUMBERED.match(text, stop + 1, end)
        if text[stop : stop + 1] == "." and mode != "math" and not product:
            found = ATTRIBUTE.match(text, stop, end)
            if found is not None:
                return self.add("BAD", at, found.end(), "What this attribute of a name is, is not known.")
        if text[stop - 1] in "'′’" and (found := PRIME_CALL.match(text, stop, end)):
            return self.add(
                "SLOPE", at, found.end(), f"{plain(text[at:stop].rstrip(chr(39) + '′’'))}|{plain(found[1])}"
            )
        if text[stop : stop + 2] in ("'s", "’s"):
            return self.add("NAME" if stop - at < 2 or not said.isalpha() else "WORD", at, stop, plain(said)) + 2
        if text[stop - 1] in "'′’" and (found := AT_NUMBER.match(text, stop, end)):
            return self.add("BAD", at, found.end(), "A derivative at a number, or a product: it cannot be told.")
        if mode == "text" and 1 < stop - at == len(said) and said.isalpha() and said.isascii() and _is_word(said):
            return self.add("WORD", at, stop, said)
        if stop == at + 1 and said in "OlI" and self.tokens and self.tokens[-1][0] in BEFORE_OPERAND:
            self.proposals.append(Proposal(said, "0" if said == "O" else "1", at, stop))
        self._look(at, stop)
        return self.add("NAME", at, stop, plain(text[at:stop]))

    def _called_on(self, at: int, stop: int, begins: int) -> int:
        """`x.sin()` is sin(x); what other methods do is not known."""
        if self.arrays and (method := ARRAY_METHOD.match(self.text, stop, self.end)):
            self.add("CALL", at, at, "dot" if method[1] == "dot" else method[1])
            self.add("OPEN", at, at, "(")
            self._track("OPEN")
            self.add("NAME", at, stop, plain(self.text[at:stop]).replace(".T", "^T"))
            if self.text[method.end() : method.end() + 1] != ")":
                self.add("COMMA", method.end(), method.end(), ",")
            return method.end()
        if taken := TAKEN_BY.match(self.text, stop, self.end):
            return self._slope(at, taken.end(), self.text[at:stop], taken[1])
        found = FUNCTION_CALLED.match(self.text, stop, self.end)
        if found is None or found[1] not in CALLS:
            return self.add("BAD", at, begins, "A method that is called on a name.")
        self.add("CALL", begins, begins, CALLS[found[1]])
        self.add("OPEN", begins, begins, "(")
        self.add("NAME", at, stop, plain(self.text[at:stop]))
        return self.add("CLOSE", found.end() - 1, found.end(), ")")

    def _suffixes(self, stop: int) -> int:
        """Subscripts, marks above, primes."""
        text, end = self.text, self.end
        while stop < end:
            follows = text[stop]
            if follows in {"_", " "}:
                found = SUB.match(text, stop, end)
                if found and self.mode == "math" and (letter := SUB_LETTER.match(text, stop, end)):
                    stop = letter.end(1)
                    continue
            elif follows == "\\" and text.startswith("\\_", stop):
                found = re.compile(rf"\\_[{L}0-9]+").match(text, stop, end)
            else:
                found = None
            found = found or (SUPER.match(text, stop, end) if follows in "^ " else None)
            if found is None:
                break
            stop = found.end()
        primes = PRIMES.match(text, stop, end)
        return primes.end() if primes else stop

    def _function(self, at: int, stop: int, base: str) -> int:
        """A function's token, or 0 where its name is a name."""
        text, end = self.text, self.end
        command = text[at] == "\\"
        primes = PRIMES.match(text, stop, end)
        if primes and CALL_AHEAD.match(text, primes.end(), end):
            if primes.end() - stop > 1 and "\\" not in primes[0]:
                return self.add("BAD", at, primes.end(), "Second derivatives are not read.")
            return self.add("CHANGE", at, primes.end(), CALLS[base])
        if base == "log" and (
            found := re.compile(r"_\s*(?:\{\s*(2|10|e)\s*\}|(2|10|e)(?![0-9]))").match(text, stop, end)
        ):
            base, stop = {"2": "log2", "10": "log10", "e": "ln"}[found[1] or found[2]], found.end()
        ahead = CALL_AHEAD.match(text, stop, end)
        if ahead and (self.mode == "math" or command or not text[stop].isspace() or base in BARE):
            return self.add("CALL", at, stop, CALLS[base])
        if ((command and base != "sigma") or base in BARE) and BARE_AHEAD.match(text, stop, end):
            return self.add("APPLY", at, stop, CALLS[base])
        if command and base != "sigma":
            return self.add("BAD", at, stop, f"{base} of what?")
        return 0

    # -- commands --------------------------------------------------------------------------------------

    def _command(self, at: int, stop: int) -> int:
        text = self.text
        name = text[at + 1 : stop]
        if name in FUNCTIONS or name in ("ReLU", "relu"):
            if name == "sqrt" and not text[stop : stop + 8].lstrip().startswith("("):
                return self._do_root(at, stop, "")  # its braces end the root, whatever stands behind them
            return self._function(at, stop, name) or self._name(at)
        if name in ("pdv", "dv", "odv", "derivative") and (found := OF_BY.match(text, stop, self.end)):
            return self._slope(at, found.end(), found[1], found[2])
        row = COMMANDS.get(name) or COMMANDS.get(name.rstrip("*"))
        if self.arrays and name in ("odot", "circ", "top", "intercal"):
            return self._array_command(at, stop, name)
        if self.arrays and name in ARRAY_CALLS and CALL_AHEAD.match(text, stop, self.end):
            return self.add("CALL", at, stop, ARRAY_CALLS[name])
        if row is None:
            if not name.isalpha():
                return stop
            return self.add("BAD", at, stop, f"\\{name[:30]} is not read.")
        kind, said = row
        if not kind:
            return stop
        if kind.isupper() and kind != "BOX":
            self._track(kind)
            return self.add(kind, at, stop, said)
        return getattr(self, f"_do_{kind}")(at, stop, said)

    def _array_command(self, at: int, stop: int, name: str) -> int:
        if name in ("odot", "circ"):
            return self.add("TIMES", at, stop, "⊙")
        return self.add("NAME", at, stop, TURN)

    def _do_name(self, at: int, stop: int, _: str) -> int:
        if self.text.startswith("\\delta", at) and (found := SLASH_SLOPE.match(self.text, at, self.end)):
            return self._slope(at, found.end(), found[3] or "", found[4] or found[2])
        if self.text.startswith("\\vec", at) or NAME.match(self.text, at, self.end):
            return self._name(at)
        return self.add("BAD", at, stop, f"{self.text[at:stop]} of what?")

    def _do_letter(self, at: int, stop: int, _: str) -> int:
        found = SLASH_SLOPE.match(self.text, at, self.end)
        if found:
            return self._slope(at, found.end(), found[1] or "", found[2])
        found = NABLA.match(self.text, at, self.end)
        if found:
            return self._slope(at, found.end(), found[3], found[1] or found[2])
        return self.add("BAD", at, stop, "A derivative that is not written out.")

    def _do_bar(self, at: int, stop: int, _: str) -> int:
        found = BAR.match(self.text, at, self.end)
        if found is None:
            return self.add("BAD", at, stop, f"{self.text[at:stop]} of what?")
        name = plain((found[2] or found[3]) + found[4])
        return self.add("SLOPE", at, found.end(), f"{name}|" if found[1] == "dot" else f"|{name}")

    def _do_hash(self, at: int, stop: int, _: str) -> int:
        """A comment: a number alone in it is the value of the line, anything else another statement."""
        line_end = self.text.find("\n", stop, self.end)
        rest = self.text[stop : line_end if line_end >= 0 else self.end]
        said = rest.strip()
        array = self.arrays and said[:1] == ARRAY_LETTER and " " not in said
        lone = (array or LONE_NUMBER.fullmatch(rest)) and self.tokens and self.tokens[-1][0] not in ("EQUALS", "SEMI")
        return self.add("EQUALS", at, stop, "=") if lone else self.add("SEMI", at, stop)

    def _do_words(self, at: int, stop: int, _: str) -> int:
        """\\text{...}: a function, a name, or words."""
        text, end = self.text, self.end
        opened = BRACE_ARGUMENT.match(text, stop, end)
        if opened is None:
            return self._name(at) if NAME.match(text, at, end) else stop
        closed = self._pairs.get(opened.end() - 1)
        if closed is None:
            return self.add("BAD", at, stop, "This { is never closed.")
        inner = text[opened.end() : closed].strip()
        if inner == "d" and (found := SLASH_SLOPE.match(text, at, end)):
            return self._slope(at, found.end(), found[1] or "", found[2])
        if inner in CALLS and CALL_AHEAD.match(text, closed + 1, end):
            return self.add("CALL", at, closed + 1, CALLS[inner])
        if self.arrays and inner in ARRAY_CALLS and CALL_AHEAD.match(text, closed + 1, end):
            return self.add("CALL", at, closed + 1, ARRAY_CALLS[inner])
        primes = PRIMES.match(text, closed + 1, end) if inner in CALLS else None
        if primes and len(primes[0].strip()) == 1 and CALL_AHEAD.match(text, primes.end(), end):
            return self.add("CHANGE", at, primes.end(), CALLS[inner])
        named = NAME.match(text, at, end)
        if named and named.end() == closed + 1 and inner.isascii():
            after = self._suffixes(named.end())
            words = (
                text.startswith(("\\text", "\\mbox"), at)
                and len(inner) > 1
                and inner.isalpha()
                and after == named.end()
            )
            return self.add("WORD" if words else "NAME", at, after, inner if words else plain(text[at:after]))
        if not text.startswith("\\text", at):
            self._ends[closed] = ""
            return opened.end()
        self.add("SEMI", at, opened.end())
        self._ends[closed] = "SEMI"
        if any(sign in inner for sign in "=≈") or "\\" in inner:
            mode, before = self.mode, self.end
            self.run(opened.end(), closed, "text")
            self.mode, self.end = mode, before
        else:
            self.add("PROSE", opened.end(), closed, inner)
        return closed

    def _do_fraction(self, at: int, stop: int, _: str) -> int:
        text, end = self.text, self.end
        found = FRACTION_SLOPE.match(text, at, end)
        if found:
            return self._slope(at, found.end(), found[1] or "", found[2] or found[3])
        if SECOND.match(text, at, end):
            return self.add("BAD", at, stop, "Second derivatives are not read.")
        opened = FRACTION_OPEN.match(text, at, end)
        if opened:
            closed = self._pairs.get(text.index("{", at))
            below = BELOW.match(text, closed + 1, end) if closed is not None else None
            if below and closed is not None:
                self.add("BY", at, stop, plain(below[1]))
                self._jumps[closed] = below.end()
                return self.add("LEFT", opened.end(), opened.end(), "{")
        self.add("FRACTION", at, stop)
        return self._arguments(stop, 2)

    def _do_root(self, at: int, stop: int, _: str) -> int:
        text, end = self.text, self.end
        if re.compile(r"\s*\[").match(text, stop, end) and text[at] == "\\":
            return self.add("BAD", at, stop, "Only square roots are read.")
        if text[at] == "√":
            kind = "CALL" if CALL_AHEAD.match(text, stop, end) else "APPLY"
            return self.add(kind, at, stop, "sqrt")
        self.add("ROOT", at, stop)
        return self._arguments(stop, 1)

    def _arguments(self, stop: int, count: int) -> int:
        """Arguments without braces are one digit or letter: \\frac12."""
        text, end = self.text, self.end
        begin = stop
        for _ in range(count):
            opened = BRACE_ARGUMENT.match(text, stop, end)
            if opened:
                closed = self._pairs.get(opened.end() - 1)
                if closed is None:
                    break
                stop = closed + 1
            else:
                single = SINGLE.match(text, stop, end)
                if single is None:
                    break
                self._singles.add(single.start(single.lastindex or 0))
                stop = single.end()
        return begin

    def _single(self, at: int) -> int:
        self._singles.discard(at)
        found = SINGLE.match(self.text, at, self.end)
        assert found is not None
        self.add("LEFT", at, at, "{")
        self.add("NUMBER" if found[1] else "NAME", at, found.end(), found[1] or plain(found[2]))
        return self.add("RIGHT", found.end(), found.end(), "}")

    def _do_left(self, at: int, stop: int, _: str) -> int:
        text, end = self.text, self.end
        found = re.compile(r"\s*+(\\\{|\\lbrace|\\lvert|\\langle|[(\[|./<{])").match(text, stop, end)
        if found is None:
            return stop
        sign, stop = found[1], found.end()
        if sign in ("\\{", "\\lbrace"):
            if NOTE_AHEAD.match(text, stop, end):
                self._lefts.append("")
                return self.add("NOTE", at, stop)
            self._lefts.append("CLOSE")
            return self.add("OPEN", at, stop, "{")
        if sign in (".", "/", "<", "\\langle"):
            self._lefts.append("")
            return stop
        self._lefts.append("ENDBAR" if sign in ("|", "\\lvert") else "CLOSE")
        kind = "BAR" if sign in ("|", "\\lvert") else "OPEN"
        self._track(kind)
        return self.add(kind, at, stop, sign)

    def _do_right(self, at: int, stop: int, _: str) -> int:
        text, end = self.text, self.end
        if (point := AT.match(text, at, end)) and not (self._lefts and self._lefts[-1] == "ENDBAR"):
            if self._lefts:
                self._lefts.pop()
            return self._point(at, point)
        found = re.compile(r"\s*+(?:\\\}|\\rbrace|\\rvert|\\rangle|[)\]|./>}])").match(text, stop, end)
        kind = self._lefts.pop() if self._lefts else ""
        stop = found.end() if found else stop
        if not kind:
            return stop
        self._track(kind)
        return self.add(kind, at, stop, ")")

    def _do_pipe(self, at: int, stop: int, _: str) -> int:
        if at in self._bars:
            self._bars.discard(at)
            return self.add("ENDBAR", at, stop, "|")
        if (closed := self._absolute(at, stop)) is not None:
            self._bars.add(closed)
            return self.add("BAR", at, stop, "|")
        if self.mode == "text" and self._divides(at, stop):
            return self.add("SEMI", at, stop)
        point = AT.match(self.text, at, self.end)
        if point:
            return self._point(at, point)
        return self.add("BAD", at, stop, "A | that is neither a point nor an absolute value.")

    def _divides(self, at: int, stop: int) -> bool:
        """The | of `B1 = 3 | B2 = 1`: a number is taken at no point."""
        blanks = self.text[at - 1 : at].isspace() and self.text[stop : stop + 1].isspace()
        return blanks and bool(self.tokens) and self.tokens[-1][0] == "NUMBER"

    def _absolute(self, at: int, stop: int) -> int | None:
        """Where the absolute value ends that begins here: |x|, |D - t|; None if none does."""
        last = self.tokens[-1] if self.tokens else ("EDGE", at, at, "")
        found = ABSOLUTE.match(self.text, at, self.end) if self.mode != "code" and stop == at + 1 else None
        if found is None or found[1].count("(") != found[1].count(")"):
            return None
        begins = last[0] in BEFORE_OPERAND or last[0] in ("EDGE", "SEMI", "COMMA", "ARROW")
        return found.end() - 1 if begins or (last[0] == "NUMBER" and last[2] == at) else None

    def _point(self, at: int, found: re.Match[str]) -> int:
        inner = found[1][1:-1] if found[1] else found[2] or found[3] or found[4] or found[5]
        return self.add("AT", at, found.end(), inner)

    def _do_transparent(self, at: int, stop: int, _: str) -> int:
        opened = BRACE_ARGUMENT.match(self.text, stop, self.end)
        closed = self._pairs.get(opened.end() - 1) if opened else None
        if opened is None or closed is None:
            return stop
        self._ends[closed] = ""
        if self.text.startswith(("\\underbrace", "\\overbrace"), at):
            label = re.compile(r"\s*+[_^]\s*+\{").match(self.text, closed + 1, self.end)
            if label and (after := self._pairs.get(label.end() - 1)):
                self._jumps[closed] = after + 1
                self._ends[closed] = ""
        return opened.end()

    def _do_drop(self, at: int, stop: int, said: str) -> int:
        opened = BRACE_ARGUMENT.match(self.text, stop, self.end)
        closed = self._pairs.get(opened.end() - 1) if opened else None
        if closed is None:
            return stop
        if self.text.startswith(("\\tag", "\\hspace"), at):
            self.add("SEMI", at, closed + 1)
        return self._do_transparent(at, closed + 1, "") if said else closed + 1

    def _do_BOX(self, at: int, stop: int, _: str) -> int:
        opened = BRACE_ARGUMENT.match(self.text, stop, self.end)
        closed = self._pairs.get(opened.end() - 1) if opened else None
        if opened is None or closed is None:
            return stop
        self._ends[closed] = "ENDBOX"
        return self.add("BOX", at, opened.end())

    def _do_begin(self, at: int, stop: int, _: str) -> int:
        text, end = self.text, self.end
        found = ENVIRONMENT.match(text, stop, end)
        if found is None:
            return self.add("BAD", at, stop, "\\begin of what?")
        name, stop = found[1].rstrip("*"), found.end()
        note = bool(self.tokens) and self.tokens[-1][0] == "NOTE"
        if name in ("array", "alignedat", "alignat", "tabular") and (columns := COLUMNS.match(text, stop, end)):
            stop = columns.end()
        if name not in FEEDS and not note:
            closing = text.find(f"\\end{{{found[1]}}}", stop, end)
            after = end if closing < 0 else closing + len(found[1]) + 6
            return self.add(
                "BAD",
                at,
                after,
                "Vectors and matrices are not read." if "matrix" in name else f"\\begin{{{name[:20]}}} is not read.",
            )
        before = self.tokens[-1][0] if self.tokens else "EDGE"
        aside = (
            note or name in ("cases", "dcases") or (name == "array" and before == "OPEN" and self.tokens[-1][3] == "{")
        )
        return self.add("BEGIN", at, stop, "note" if aside else "layout")

    def _do_end(self, at: int, stop: int, _: str) -> int:
        found = ENVIRONMENT.match(self.text, stop, self.end)
        return self.add("END", at, found.end() if found else stop)

    # -- single signs ------------------------------------------------------------------------------------

    def _sign(self, at: int) -> int:
        text, end = self.text, self.end
        sign = text[at]
        if self.arrays and (stop := self._of_arrays(at, sign)):
            return stop
        if sign == "=" and text.startswith("==>", at):
            return self.add("ARROW", at, at + 3, "=>")
        pair = PAIRS.get(text[at : at + 2]) if at + 2 <= end else None
        if pair:
            return self.add(pair[0], at, at + 2, pair[1])
        if sign == "}" and at in self._ends:
            kind = self._ends.pop(at)
            if kind:
                self.add(kind, at, at + 1)
            return self._jumps.pop(at, at + 1)
        row = SIGNS.get(sign)
        if row is None:
            return self._odd_sign(at, sign)
        kind, said = row
        if kind.isupper():
            if kind == "MINUS" and text.startswith("->", at + 1):
                return self.add("ARROW", at, at + 3, "->")
            if kind == "DOT" and text.startswith("..", at + 1):
                return self._ellipsis(at, at + 3)
            if kind == "DOT" and self._between_names(at):
                return self.add("TIMES", at, at + 1, "·")
            if kind == "MINUS" and self.mode != "math" and DASHES.match(text, at, end) and text[at - 1 : at].isspace():
                return self.add("SEMI", at, at + 2)
            if sign == "!" and self.mode == "text":
                return self.add("SEMI", at, at + 1)
            if kind == "ELLIPSIS":
                return self._ellipsis(at, at + 1)
            self._track(kind)
            self.add(kind, at, at + 1, said)
            return self._jumps.pop(at, at + 1) if kind == "RIGHT" else at + 1
        return getattr(self, f"_do_{kind}")(at, at + 1, said)

    def _of_arrays(self, at: int, sign: str) -> int:
        """The signs of arrays: products of matrices, products element by element, a transpose behind a parenthesis."""
        if sign == "@":
            return self.add("TIMES", at, at + 1, "@")
        if sign in "⊙∘":
            return self.add("TIMES", at, at + 1, "⊙")
        if sign == "ᵀ":
            last = self.tokens[-1] if self.tokens else None
            if last is not None and last[0] == "NAME" and last[2] == at:
                self.tokens[-1] = ("NAME", last[1], at + 1, f"{last[3]}^T")
                return at + 1
            self.add("TO", at, at, "^")
            return self.add("NAME", at, at + 1, TURN)
        if sign == "." and (found := TRANSPOSED.match(self.text, at, self.end)):
            self.add("TO", at, at + 1, "^")
            return self.add("NAME", at + 1, found.end(), TURN)
        return 0

    def _between_names(self, at: int) -> bool:
        """The dot of `w1.x1`, both with a number, is a product; other dots end a sentence, or lead to an attribute."""
        last = self.tokens[-1] if self.tokens else None
        touches = last is not None and last[0] == "NAME" and last[2] == at and last[3][-1:].isdigit()
        return touches and NUMBERED.match(self.text, at + 1, self.end) is not None

    def _ellipsis(self, at: int, stop: int) -> int:
        """0.5932... is a number cut short; elsewhere dots leave something out."""
        if self.tokens and self.tokens[-1][0] == "NUMBER" and self.tokens[-1][2] == at:
            return stop
        beside = bool(self.tokens) and self.tokens[-1][0] in ("PLUS", "MINUS", "TIMES", "COMMA", "EQUALS")
        return self.add("ELLIPSIS" if beside or self.mode == "math" else "SEMI", at, stop)

    def _odd_sign(self, at: int, sign: str) -> int:
        if sign in VULGAR:
            return self.add("VULGAR", at, at + 1, sign)
        if found := SUPERSCRIPT.match(self.text, at, self.end):
            return self.add("SUPERSCRIPT", at, found.end(), found[0])
        if sign == "~":
            if self.mode == "math":
                return at + 1
            return self.add("EQUALS", at, at + 1, "≈")
        if sign in "—―":
            return self._dash(at, sign)
        if sign == "$":
            return self.add("EDGE", at, at + 1)
        if unicodedata.category(sign) == "So" and sign not in "°\ufffd":
            return self.add("SEMI", at, at + 1)  # lines of a drawing, pictures
        if not sign.isprintable():
            return self.add("BAD", at, at + 1, f"An invisible character U+{ord(sign):04X}.")
        if sign.isdecimal():
            return self.add("BAD", at, at + 1, f"The digit {sign} is not one of 0 to 9.")
        if self.mode == "text" and (found := FOREIGN.match(self.text, at, self.end)):
            return self._foreign(found)
        return self.add("BAD", at, at + 1, f"{sign} is not read.")

    def _foreign(self, found: re.Match[str]) -> int:
        """Words of a script without capitals before a name are left away (`输入 x = 2`); anywhere else they may be
        what a formula is about."""
        at, stop = found.span()
        after = SPACE.match(self.text, stop, self.end)
        begins = after.end() if after else stop
        ends = begins >= self.end or self.text[begins] in "，。；、,.;)）\n"
        number = ends and bool(self.tokens) and self.tokens[-1][0] == "NUMBER"
        note = ends and bool(self.tokens) and self.tokens[-1][0] == "OPEN"
        aside = number or note or NUMBERED_LABEL.match(self.text, begins, self.end) is not None
        aside = aside or NAME.match(self.text, begins, self.end) is not None
        if aside and not SUMS_IN_WORDS.intersection(found[0]):
            return self.add("PROSE", at, stop, "")
        return self.add("BAD", at, stop, f"{found[0][:20]} is not read.")

    def _dash(self, at: int, sign: str) -> int:
        """A long dash before a digit is likely a minus, elsewhere it divides a sentence."""
        if self.mode != "math" and not DASHED.match(self.text, at + 1, self.end):
            return self.add("SEMI", at, at + 1)
        self.proposals.append(Proposal(sign, "-", at, at + 1))
        return self.add("BAD", at, at + 1, "A long dash; a minus may be meant.")

    # -- brackets ----------------------------------------------------------------------------------------

    def _track(self, kind: str) -> None:
        """Which open parentheses belong to a function: a comma in them divides arguments."""
        if kind == "OPEN":
            last = self.tokens[-1][0] if self.tokens else ""
            self._opened.append(last in ("CALL", "CHANGE"))
        elif kind == "CLOSE" and self._opened:
            self._opened.pop()

    def _pair_braces(self, start: int, end: int) -> None:
        text, stack = self.text, list[int]()
        for found in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, end):
            if found[0] == "{":
                stack.append(found.start())
            elif found[0] == "}" and stack:
                self._pairs[stack.pop()] = found.start()
