"""The engine `tape`: large networks of single numbers, as flat arrays and compiled loops.

    net = network(functions, start, source, weight, inputs)      from arrays: no Graph, some ns an edge
    net.run(); net.values, net.adjoints, net.slopes()            every value and every derivative

A node is a function of one sum of weight x value over its edges, or of two sums; any network of single numbers can be
written so, and `Tape` does it with a Graph. Derivatives by weights follow from a rule, adjoint x slope x value of the
source, and are written out when they are looked at, or at once with `run(expand=True)`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backhand import limits
from backhand.core.formula import Apply, Formula, Num, Ref, postorder
from backhand.core.graph import Graph
from backhand.core.operations import Operation
from backhand.engines import tape_kernels
from backhand.engines.compiled import Engine, Numbers, Task, own
from backhand.errors import LimitError, UsageError
from backhand.numbers import as_float

kernels: Any = tape_kernels
CODES: dict[str, int] = kernels.CODES
Floats = NDArray[np.float64]

DENSE = 150
"""Edges that are worth a dense block, in rows of 12 at least."""

STREAMED = 500_000
"""Edges from which on derivatives by weights are written past the cache."""

SHARED = 30_000
"""Edges of a dense block from which on threads share it out."""

RUN: Any = kernels.run.ctypes

FAULTS = {
    1: "reads a node that does not come before it",
    2: "is a function of two sums, and its edges cannot be halved",
    3: "has edges out of order, or past the last",
    4: "has no known function",
}


class Network:
    """Nodes and edges as arrays. `values` and `adjoints` are memory that the next run writes anew; values of inputs may
    be set."""

    def __init__(
        self,
        codes: NDArray[np.uint8],
        start: NDArray[np.uint64],
        source: NDArray[np.uint32],
        weight: Floats,
        threads: int = 1,
    ) -> None:
        count, edges = len(codes), len(source)
        if len(start) != count + 1 or len(weight) != edges or int(start[-1]) != edges:
            raise UsageError(
                f"{count} nodes have {count + 1} places in `start`, and `source` and `weight` one length.",
                cure="start[i] is where the edges of node i begin; the last is the number of edges.",
            )
        self.codes, self.start, self.source, self.weight = codes, start, source, weight
        wrong, fault, depth = kernels.checked(codes, start, source, edges)
        if wrong >= 0:
            raise UsageError(
                f"Node {wrong} {FAULTS[fault]}.", cure="Nodes stand in order, sources before those that read them."
            )
        self.segments = kernels.dense_runs(codes, start, source, DENSE)
        self.values, self.adjoints = _aligned(count), _aligned(count)
        self._stack = np.empty(depth)
        widest = max((int(high - low) for dense, low, high, *_ in self.segments.tolist() if dense), default=0)
        self._back = np.empty(widest)
        self._slopes: Floats | None = None
        self._known = False
        memory = {
            "codes": codes, "start": start, "source": source, "weight": weight, "segments": self.segments,
            "values": self.values, "adjoints": self.adjoints, "stack": self._stack, "back": self._back,
        }  # fmt: skip
        numbers = {"nodes": count, "edges": edges, "pieces": len(self.segments), "depth": depth}
        places = {name: _address(array) for name, array in memory.items()}
        told = numbers | places | {"of": count - 1, "parts": 1}
        self._block = np.array([told.get(name, 0) for name in kernels.BLOCK], np.int64)
        self._place = _address(self._block)
        self._state = (count - 1, False)
        shared = any(
            dense and (high - low) * wide >= SHARED for dense, low, high, _, wide, *_ in self.segments.tolist()
        )
        self.threads = min(threads, cores()) if shared else 1
        if self.threads > 1:
            self._pool, self._alone = ThreadPoolExecutor(self.threads - 1), Lock()

    def run(self, of: int = -1, *, expand: bool = False) -> Network:
        """Both passes, for derivatives of node `of` (the last). With `expand`, also those by weights, written out."""
        if (of, expand) != self._state:
            self._tell(of, expand)
        if self.threads > 1:
            self._run_together()
        else:
            RUN(self._place)
        self._known = expand
        return self

    def _tell(self, of: int, expand: bool) -> None:
        """What is asked goes into the block."""
        if expand and self._slopes is None:
            self._slopes = _aligned(len(self.source))
        told = {
            "of": of % len(self.codes),
            "slopes": _address(self._slopes) if expand and self._slopes is not None else 0,
            "past": int(expand and len(self.source) >= STREAMED),
        }
        for name, number in told.items():
            self._block[kernels.BLOCK.index(name)] = number
        self._state = (of, expand)

    def _run_together(self) -> None:
        """The same by several threads. Each number is computed by one of them, and by the same operations as ever, so
        their number changes no bit. They wait for each other: none may begin when another has ended."""
        gate, told = np.zeros(1, np.int64), kernels.BLOCK.index
        blocks = np.tile(self._block, (self.threads, 1))
        blocks[:, told("gate")], blocks[:, told("shared")] = _address(gate), SHARED
        blocks[:, told("part")], blocks[:, told("parts")] = np.arange(self.threads), self.threads
        first, width = _address(blocks), blocks.strides[0]
        with self._alone:  # parts of two runs that wait for each other would wait for ever
            others = [self._pool.submit(RUN, first + part * width) for part in range(1, self.threads)]
            RUN(first)
            for other in others:
                other.result()

    def slopes(self, first: int = 0, last: int | None = None) -> Floats:
        """Derivatives by the weights of edges `first` to `last`."""
        last = len(self.source) if last is None else last
        if self._known and self._slopes is not None:
            return self._slopes[first:last]
        found = np.empty(last - first)
        kernels.by_rule(
            self.codes,
            self.start,
            self.source,
            self.values,
            self.adjoints,
            self._stack,
            np.uint64(len(self._stack)),
            first,
            last,
            found,
        )
        return found

    def pairs(self) -> Pairs:
        """The derivative of every node by every node: one sweep over the nodes, dense blocks as matrix products."""
        count = len(self.codes)
        if count * count > limits.TOGETHER:
            raise LimitError(
                f"{count} nodes have {count * count} pairs, more than {limits.TOGETHER}.",
                cure="Ask for fewer: run(of).",
            )
        self.run()
        first, second = np.empty(count), np.empty(count)
        kernels.local_slopes(self.codes, self.values, self._stack, np.uint64(len(self._stack)), first, second)
        found = np.zeros((count, count))
        for dense, low, high, source, wide, degree, bias, shift, _ in self.segments.tolist():
            if not dense:
                kernels.pair_rows(self.codes, self.start, self.source, self.weight, first, second, found, low, high)
                continue
            rows = self.weight[int(self.start[low]) : int(self.start[high])].reshape(high - low, degree)
            matrix = rows[:, shift : shift + wide] * first[low:high, None]
            reach = source + wide
            np.matmul(matrix, found[source:reach, :reach], out=found[low:high, :reach])
            if bias >= 0:
                by_bias = rows[:, 0 if shift else wide] * first[low:high]
                found[low:high, : bias + 1] += by_bias[:, None] * found[bias, : bias + 1]
            found[range(low, high), range(low, high)] = 1.0
        return Pairs(self, found, first, second)


class Pairs:
    """`nodes[j, i]` is the derivative of node j by node i. Those by weights follow from a rule: derivative by the node
    of the edge x its slope x value of the source; `weights` writes them out."""

    def __init__(self, made_of: Network, nodes: Floats, first: Floats, second: Floats) -> None:
        self.nodes = nodes
        self._network, self._first, self._second = made_of, first, second
        self._values = made_of.values.copy()

    def weights(self, low: int = 0, high: int | None = None, out: Floats | None = None) -> Floats:
        """The derivatives of all nodes by the weights on the edges of nodes `low` to `high`. An array `out` that was
        written to before saves the time in which the system hands out so much new memory."""
        net = self._network
        high = len(net.codes) if high is None else high
        shape = len(net.codes), int(net.start[high] - net.start[low])
        found = np.zeros(shape) if out is None else out
        if (found.shape, found.dtype) != (shape, np.float64):
            raise UsageError(f"Floats of the shape {shape} are needed, not {found.dtype} of {found.shape}.")
        kernels.pair_weights(
            net.start, net.source, self._values, self._first, self._second, net.codes, self.nodes, low, high,
            found, out is None,
        )  # fmt: skip
        return found


def network(
    functions: Sequence[str] | NDArray[np.uint8],
    start: ArrayLike,
    source: ArrayLike,
    weight: ArrayLike,
    inputs: ArrayLike,
    *,
    threads: int = 1,
) -> Network:
    """A network from arrays: what each node is ("input", "sum", "tanh", "product", ...; or codes of
    `tape.CODES`), where its edges begin, the node and the weight of each edge, and the values of the inputs.

    Up to `threads` cores share large dense layers. Raises UsageError where the arrays do not fit. Arrays of the right
    type are taken as they are.
    """
    if isinstance(functions, np.ndarray) and functions.dtype == np.uint8:
        codes: NDArray[np.uint8] = functions
    else:
        unknown = sorted(set(functions) - set(CODES))  # type: ignore[arg-type]
        if unknown:
            raise UsageError(f"There is no function {unknown[0]}.", cure=f"Known: {', '.join(CODES)}.")
        codes = np.array([CODES[name] for name in functions], np.uint8)  # type: ignore[index]
    made = Network(
        codes,
        np.ascontiguousarray(start, np.uint64),
        np.ascontiguousarray(source, np.uint32),
        np.ascontiguousarray(weight, float),
        threads,
    )
    given = np.asarray(inputs, float)
    places = np.flatnonzero(codes == 0)
    if len(places) != len(given):
        raise UsageError(f"There are {len(places)} inputs, and {len(given)} values for them.")
    made.values[places] = given
    return made


def cores() -> int:
    """How many this process may use. Threads keep theirs while they wait, so more of them would only wait."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _aligned(count: int) -> Floats:
    """Numbers that begin where a cache line does."""
    whole = np.empty(count + 8)
    offset = (-_address(whole) // 8) % 8
    return whole[offset : offset + count]


def _address(array: NDArray[Any]) -> int:
    """Where it lies in memory. `array.ctypes.data` says the same in thrice the time, which small networks feel."""
    return array.__array_interface__["data"][0]


# -- a graph as a tape ------------------------------------------------------------------------------------------------

Term = tuple[float, int, int]
"""A number, the weight it is multiplied by (or -1), the node."""


class _Writing:
    """Turns the formulas of a graph into nodes. `weights` are the given quantities that go onto edges; where one stands
    alone, as a bias does, the edge comes from node 0."""

    def __init__(self, graph: Graph, weights: set[int]) -> None:
        self.graph, self.weights = graph, weights
        self.codes: list[int] = [0]
        self.terms: list[Sequence[Term]] = [()]
        self.node_of: dict[int, int] = {}
        for position, quantity in enumerate(graph.quantities):
            if quantity.computed:
                assert quantity.definition is not None
                self.node_of[position] = self._quantity(quantity.definition)
            elif position not in weights:
                self.node_of[position] = self._node("input", ())

    def _node(self, function: str, terms: Sequence[Term]) -> int:
        self.codes.append(CODES[function])
        self.terms.append(terms)
        return len(self.codes) - 1

    def _quantity(self, definition: Formula) -> int:
        first = len(self.codes)
        terms = self._terms(self._part(definition))
        if len(terms) == 1 and terms[0][:2] == (1.0, -1) and terms[0][2] >= first:
            return terms[0][2]
        return self._node("sum", terms)

    def _part(self, definition: Formula) -> float | int | list[Term]:
        """A formula as a number, a weight (its position) or a sum of terms."""
        index = self.graph.index
        stack: list[float | int | list[Term]] = []
        for node in postorder(definition):
            match node:
                case Num():
                    stack.append(as_float(node.value))
                case Ref():
                    position = index[node.name]
                    stack.append(position if position in self.weights else [(1.0, -1, self.node_of[position])])
                case Apply():
                    count = len(node.args)
                    args = stack[len(stack) - count :]
                    del stack[len(stack) - count :]
                    assert isinstance(node.operation, Operation)
                    stack.append(self._applied(node.operation, args))
                case _:
                    raise AssertionError(node)
        return stack[0]

    def _applied(self, row: Operation, args: list[float | int | list[Term]]) -> float | int | list[Term]:
        if all(isinstance(arg, float) for arg in args):
            try:
                return float(row.real(*args))
            except (ArithmeticError, ValueError):
                pass
        match row.name:
            case "+":
                left, right = self._terms(args[0]), self._terms(args[1])
                left.extend(right)
                return left
            case "-":
                left = self._terms(args[0])
                left.extend((-a, w, n) for a, w, n in self._terms(args[1]))
                return left
            case "neg":
                return [(-a, w, n) for a, w, n in self._terms(args[0])]
            case "*":
                return self._product(args[0], args[1])
            case "^" if args[1] == 2.0:
                return [(1.0, -1, self._node("square", self._terms(args[0])))]
            case _:
                pass
        if len(args) == 1:
            return [(1.0, -1, self._node(row.name, self._terms(args[0])))]
        name = {"/": "quotient", "^": "general_power", "leaky_relu": "leaky_relu_2", "elu": "elu_2"}.get(
            row.name, row.name
        )
        return [(1.0, -1, self._two(name, self._terms(args[0]), self._terms(args[1])))]

    def _product(self, left: float | int | list[Term], right: float | int | list[Term]) -> list[Term]:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, float):
                return [(one * a, w, n) for a, w, n in self._terms(other)]
            if isinstance(one, int) and isinstance(other, list):
                if len(other) != 1 or other[0][1] >= 0:
                    other = [(1.0, -1, self._node("sum", other))]
                return [(other[0][0], one, other[0][2])]
        return [(1.0, -1, self._two("product", self._terms(left), self._terms(right)))]

    def _two(self, function: str, left: list[Term], right: list[Term]) -> int:
        if len(left) != len(right):
            left, right = ([(1.0, -1, self._node("sum", part))] if len(part) != 1 else part for part in (left, right))
        return self._node(function, [*left, *right])

    def _terms(self, part: float | int | list[Term]) -> list[Term]:
        if isinstance(part, float):
            return [(part, -1, 0)]
        if isinstance(part, int):
            return [(1.0, part, 0)]
        return part


class Tape:
    """A Graph as a Network. Node 0 is 1: numbers in formulas are weights on it."""

    name = "tape"

    def __init__(self, task: Task) -> None:
        graph = task.graph
        if graph.arrays:
            raise UsageError("The engine tape is for networks of single numbers.", cure='Take "numpy", or "jax".')
        self.task = task
        writing = _Writing(graph, {k for k, q in enumerate(graph.quantities) if q.kind in ("weight", "bias")})
        counts = np.array([len(terms) for terms in writing.terms], np.int64)
        flat = np.fromiter(
            (term for terms in writing.terms for term in terms), dtype="f8,i8,i8", count=int(counts.sum())
        )  # fmt: skip
        codes = np.array(writing.codes, np.uint8)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
        source = flat["f2"].astype(np.uint32)
        order = np.lexsort((codes, kernels.levels_of(codes, start, source)))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        ends = np.cumsum(counts[order])
        edges = np.arange(len(flat)) + np.repeat(
            start[:-1].astype(np.int64)[order] - ends + counts[order], counts[order]
        )
        self._numbers, self._weights = flat["f0"][edges], flat["f1"][edges]
        self.network = Network(
            codes[order],
            np.concatenate([[0], ends]).astype(np.uint64),
            place[source[edges]].astype(np.uint32),
            self._numbers.copy(),
            task.threads,
        )
        positions = np.fromiter(writing.node_of, np.int64)
        self._positions = positions
        self._places = place[np.fromiter(writing.node_of.values(), np.int64)]
        self._weighted = np.flatnonzero(self._weights >= 0)
        self._given = np.zeros(len(graph))
        for name in self._needed():
            self._given[graph.index[name]] = np.nan
        self._own_known = False
        self._of = int(self._places[np.flatnonzero(positions == graph.index[task.of])[0]]) if (
            graph.index[task.of] in writing.node_of
        ) else -1  # fmt: skip
        if self._of < 0:
            raise UsageError(f"{task.of} is given; there is nothing to propagate.", cure="Ask for a computed quantity.")

    def _needed(self) -> Iterator[str]:
        return (q.name for q in self.task.graph.quantities if not q.computed)

    def run(self, given: Numbers) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        graph, task, net = self.task.graph, self.task, self.network
        index = graph.index
        if not self._own_known:
            for name in self._needed():
                if name not in given or graph[name].given is not None:
                    self._given[index[name]] = own(graph, name)
            self._own_known = all(q.given is not None for q in graph.quantities if not q.computed)
        numbers = self._given
        if given:
            numbers = numbers.copy()
            for name, value in given.items():
                numbers[index[name]] = value
        values = net.values
        values[self._places] = numbers[self._positions]
        values[0] = 1.0
        net.weight[self._weighted] = self._numbers[self._weighted] * numbers[self._weights[self._weighted]]
        net.run(self._of, expand=bool(len(self._weighted)))
        found = numbers.copy()
        found[self._positions] = values[self._places]
        back = np.zeros(len(graph))
        back[self._positions] = net.adjoints[self._places]
        if len(self._weighted):
            slopes = net.slopes()[self._weighted] * self._numbers[self._weighted]
            back += np.bincount(self._weights[self._weighted], slopes, len(graph))
        if task.keep == "all":
            kept: dict[str, Any] = dict(zip(index, found.tolist(), strict=True))
        else:
            kept = {task.of: float(found[index[task.of]])}
        if len(task.wrt) == len(graph):
            return kept, dict(zip(index, back.tolist(), strict=True))
        return kept, {name: float(back[index[name]]) for name in task.wrt}


def made(task: Task) -> Engine:
    return Tape(task)
