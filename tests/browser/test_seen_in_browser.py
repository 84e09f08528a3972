"""What a browser holds: the typed text that is copied, and the MathML tree that is drawn, both read and found true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from random_graphs import EXACT, SMOOTH, random_graph
from seen.judging import Chain, complaints
from seen.pages import chain, in_words, of_table, text_chains, unwrapped
from seen.reading import Lexicon
from seen.truth import World
from test_seen import EXAMPLES, NASTY, OF_ARRAYS

import backhand
from backhand.core.graph import Graph
from backhand.display import formatted

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRAPHS = {path.stem: path.read_text("utf-8") for path in EXAMPLES if path not in OF_ARRAYS} | NASTY
RANDOM = range(6)

LINEAR = r"""
const linear = node => {
  const parts = () => [...node.children].map(linear);
  const text = node.textContent.trim().replaceAll('\u2061', '').replaceAll('\u2062', '').replaceAll('−', '-');
  switch (node.localName) {
    case 'math': case 'mrow': case 'mstyle': case 'mpadded': case 'menclose': return parts().join(' ');
    case 'mi': return [...text].length === 1 ? text : '\\mathrm{' + text + '}';
    case 'mtext':
      if (node.classList.contains('verbatim')) return '\\mathtt{' + text.replace(/[_#{}]/g, '\\$&') + '}';
      return '\\text{' + text + '}';
    case 'mn': return text;
    case 'mspace': return ' ';
    case 'mo': return text !== '|' ? text : node.getAttribute('form') === 'postfix' ? '\\rvert' : '\\lvert';
    case 'mfrac': return '\\frac{' + parts().join('}{') + '}';
    case 'msqrt': return '\\sqrt{' + parts().join(' ') + '}';
    case 'msup': { const [base, up] = parts(); return base + '^{' + up + '}'; }
    case 'msub': { const [base, down] = parts(); return base + '_{' + down + '}'; }
    case 'msubsup': { const [base, down, up] = parts(); return base + '_{' + down + '}^{' + up + '}'; }
    default: return 'UNKNOWN ' + node.localName;
  }
};
const inside = (root, where) => [...root.querySelectorAll(where)].map(linear).join(' ');
"""

DISPLAYS = LINEAR + "return [...document.querySelectorAll('.equation')].map(e => inside(e, '.left math, .right math'));"
INLINE = LINEAR + (
    "return [...document.querySelectorAll('math')].filter(m => !m.closest('.equation, table')).map(linear);"
)
TABLES = (
    LINEAR
    + r"""
const cell = c => {
  const copy = c.cloneNode(true);
  copy.querySelectorAll('.typed').forEach(n => n.remove());
  copy.querySelectorAll('math').forEach(n => n.replaceWith('$' + linear(n) + '$'));
  return copy.textContent.trim();
};
return [...document.querySelectorAll('table')].map(t => [...t.rows].map(r => [...r.cells].map(cell)));
"""
)
WORDS = """() => {
  document.querySelectorAll('math, table, .equation, .typed, svg').forEach(n => n.remove());
  return [...document.querySelectorAll('p, li, dd')].map(n => n.textContent.trim());
}"""


@pytest.fixture(scope="module", params=[*GRAPHS, *RANDOM], ids=str)
def solution(request: pytest.FixtureRequest) -> backhand.Solution:
    return backhand.solve(graph_of(request.param), pairs=True)


def graph_of(name: str | int) -> Graph:
    if isinstance(name, int):
        return random_graph(name, SMOOTH if name % 2 else EXACT, 10)
    return backhand.read(GRAPHS[name])


def shown(page: Page, solution: backhand.Solution) -> None:
    page.set_content("".join(formatted(solution, "html", detail="full")))


def drawn(page: Page, lexicon: Lexicon) -> Iterator[Chain]:
    """The chains of the MathML trees: displayed, inline, and of the tables; and of the words around them."""
    displays, inlines = (page.evaluate(f"() => {{ {program} }}") for program in (DISPLAYS, INLINE))
    lexicon = lexicon.on(" ".join([*displays, *inlines]))
    for display in displays:
        yield chain(display, "tex", lexicon)
    for inline in inlines:
        if "=" in inline or "≈" in inline:
            yield chain(inline, "tex", lexicon)
    for table in page.evaluate(f"() => {{ {TABLES} }}"):
        header, *rows = [[unwrapped(cell) for cell in row] for row in table]
        yield from of_table(header, rows, "tex", lexicon)
    for words in page.evaluate(WORDS):
        yield from in_words(words, lexicon.whole)


def test_every_equality_that_is_drawn_is_true(page: Page, solution: backhand.Solution) -> None:
    world = World(solution.graph)
    shown(page, solution)
    assert [found for each in drawn(page, Lexicon(world.names)) for found in complaints(each, world)] == []


def test_copying_from_the_page_gives_the_lines_of_the_terminal(page: Page, solution: backhand.Solution) -> None:
    shown(page, solution)
    copied = page.evaluate("document.body.innerText")
    terminal = "".join(formatted(solution, "text", detail="full"))
    said = text_chains(terminal, Lexicon(solution.graph.index))
    assert [str(each) for each in said if isinstance(each.links[0], str) and str(each) not in copied] == []
