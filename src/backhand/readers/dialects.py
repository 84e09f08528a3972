r"""Ways to write arrays of one tool or one book, put into the common one before a page is read.

    dW1 = delta1 * x' .* (z > 0)      Matlab: * is a product of matrices, .* goes element by element, ' turns
    dW1 <- dz1 %*% t(x)               R
    \delta^2 = (a^2 - y) \odot ...    books that raise the number of the layer: a^2 is no square there
    \sum_i W_{ij} \delta_i            sums over an index that stands twice

A sign is put in place of another one, and what is left over is blank: everything stays where it is.
"""

from __future__ import annotations

import re

MATLAB_SURE = re.compile(r"\w ?\.\*|\w ?\.\^|[\w)\]]' ?\*|\* ?\w+'(?![\w'(])")
TURNED = re.compile(r"(?<=[\w)\]])\.?'(?![\w'(])")
R_SURE = re.compile(r"%\*%|%o%")
R_TURNED = re.compile(r"(?<![\w.])t\(([^\W\d]\w*)\)")
ASSIGNED = re.compile(r"(?<=[\w)\]])([ \t]*)<-(?=[ \t])")
BASE = r"(?:\\(?:delta|(?:mathbf|boldsymbol|bm)\s*\{\s*\\?[A-Za-z]+\s*\})|[δzabhwWBZAH])"
RAISED_LEFT = re.compile(
    rf"(?:^|[\n$&,;]|\\\\|\\partial|∂)[ \t]{{0,9}}({BASE})\s?\^\s?(?:\{{\s?[1-9L]\s?\}}|[1-9L])\s?(?:&?=|\}})",
    re.MULTILINE,
)
RAISED = re.compile(rf"({BASE}\s?)\^(\s?(?:\{{\s?[1-9]\s?\}}|[1-9]))(?![\d.])")
LAYER_TURNED = re.compile(r"\^(\s*)\{\s*([(\[]\s*\w+\s*[)\]])\s*(?:T|\\top|\\intercal|⊤)\s*\}")
"""`W^{[2]T}`: the layer, and that it is turned."""
SPELLED = re.compile(r"\\(?:operatorname|mathrm|text)\s*\{((?:\s?[A-Za-z]){2,16})\s*\}")
"""`\\operatorname { R e L U }`, as scanners give it."""
ALONE = re.compile(r"=[ \t]*\n(?:[ \t]*\n)?(?=[ \t]*[-−]?\d+(?:\.\d*)?(?:e[-+]?\d+)?[ \t]*(?:\n(?![ \t]*[-−]?\d)|$))")
"""`L =`, an empty line and a number, as Matlab prints it."""
SUM = re.compile(r"(?:\\sum(?:\\limits)?|[Σ∑])\s*_\s*(?:\{[^{}\n]{1,20}\}|[a-z])(?:\s?\^\s?(?:\{[^{}\n]{1,12}\}|\w))?")
BEFORE_SUM = re.compile(
    r"(?:[=≈+\-−(\s]|\\(?:left\s*)?\(|\\[dt]?frac\s*\{?\s*1\s*\}?\s*\{?\s*[\w]\s*\}?|\d|\\[,;! ]|\$|&)\s*$"
)


def in_common(text: str) -> str:
    """The text without the peculiarities of a tool or a book, as long as before."""
    if "'" in text and MATLAB_SURE.search(text):
        text = TURNED.sub(lambda found: found[0].replace("'", "ᵀ").replace(".", " "), text)
    if MATLAB_SURE.search(text) or "ᵀ *" in text or ".*" in text:
        text = _matlab(text)
    if R_SURE.search(text):
        text = R_TURNED.sub(lambda found: f"{found[1]}ᵀ  ", text.replace("%*%", " @ "))
    if "<-" in text:
        text = ASSIGNED.sub(r"\1= ", text)
    if len(set(RAISED_LEFT.findall(text))) > 1:
        text = RAISED.sub(r"\1_\2", text)
    if "]T}" in text or "]\\top" in text or ")T}" in text or ")\\top" in text:
        text = LAYER_TURNED.sub(lambda found: f"^{{{found[2]}}}ᵀ".ljust(len(found[0])), text)
    if "{ " in text:
        text = SPELLED.sub(_together, text)
    if "=\n\n" in text:
        text = ALONE.sub(lambda found: "=".ljust(len(found[0])), text)
    if "\\sum" in text or "Σ" in text or "∑" in text:
        text = SUM.sub(_summed, text)
    return text


def _matlab(text: str) -> str:
    """Products of matrices and element by element with the signs that notation has for them."""
    signs = {".*": " ⊙", "./": " /", ".^": " ^", "*": "@"}
    return re.sub(r"(?<!\*)(?:\.\*|\./|\.\^|\*)(?!\*)", lambda found: signs[found[0]], text)


def _together(found: re.Match[str]) -> str:
    """A word whose letters stand apart."""
    name = re.sub(r"\s", "", found[1])
    return found[0].replace(found[1], name.ljust(len(found[1])), 1) if len(name) < len(found[1].strip()) else found[0]


def _summed(found: re.Match[str]) -> str:
    """A sum over an index, left away where it is a whole summand: what is summed over then stands twice."""
    before = found.string[max(0, found.start() - 40) : found.start()]
    inside = before.count("{") > before.count("}") and "frac" not in before[-12:]
    return found[0] if inside or BEFORE_SUM.search(before) is None else " " * len(found[0])
