"""Given numbers as code: small arrays written out, large ones loaded or made as the network says.

A large array is never written into a program. Where the network makes it (`zeros`, `spread`) the program does;
where the network loads it from an .npy or .npz file, the program loads it from there; and where the program
itself goes to a file, large arrays can be kept in an .npz file beside it.
"""

from __future__ import annotations

import json
from typing import Any, cast

from backhand.coding.expressions import Expressions, number
from backhand.coding.names import harmless
from backhand.core.formula import Apply, Formula, longer, postorder
from backhand.core.graph import Quantity
from backhand.core.shapes import size
from backhand.errors import UsageError
from backhand.numbers import as_float

LARGEST = 256
"""Elements of an array that is written out."""

MAKERS = {"numpy": "np.array", "torch": "torch.tensor", "jax": "jnp.array"}


class Given:
    """The given numbers of one program. `arrays` collects what is kept in the file `beside`."""

    def __init__(self, expressions: Expressions, arrays: dict[str, Any], beside: str) -> None:
        self.expressions = expressions
        self.arrays = arrays
        self.beside = beside
        self.loads = False
        self.files = False

    def written(self, quantity: Quantity, target: str) -> str:
        """The value of a given quantity as an expression."""
        language = self.expressions.language
        if quantity.array is None:
            assert quantity.given is not None
            text = number(quantity.given)[0]
            return f"{MAKERS[language]}({text})" if language in ("torch", "jax") else text
        if size(quantity.shape) <= LARGEST:
            return f"{MAKERS[language]}({_literal(quantity.array)})"
        if quantity.definition is not None and _made(quantity.definition):
            return self.expressions.write(quantity.definition, target, join=False).text
        if self.beside:
            from backhand.core.arrays import as_floats

            self.loads = True
            self.arrays[target] = as_floats(quantity.array)
            return self._from_numpy(f'ARRAYS["{target}"]')
        if (file := _file(quantity.definition)) is not None:
            self.files = True
            # as everywhere, 0.1 in a file of float32 is 1/10: the shortest decimal that means it
            return self._from_numpy(f"{file}.astype(str).astype(float)")
        raise UsageError(
            f"{quantity.name} has {size(quantity.shape)} numbers, too many to write into a program.",
            quantity.span,
            cure="backhand code NET -o net.py keeps them in a file beside the program.",
        )

    def _from_numpy(self, text: str) -> str:
        match self.expressions.language:
            case "torch":
                return f"torch.from_numpy({text})"
            case "jax":
                return f"jnp.asarray({text})"
            case _:
                return text


def _made(formula: Formula) -> bool:
    """Whether an array is made by a short formula, not listed or loaded."""
    return not longer(formula, 20) and not any(
        isinstance(part, Apply) and part.operation.name == "load" for part in postorder(formula)
    )


def _file(formula: Formula | None) -> str | None:
    """The code that loads what the network loads."""
    if not isinstance(formula, Apply) or formula.operation.name != "load":
        return None
    options: dict[str, Any] = dict(formula.params)
    file, name = str(options["file"]), str(options["name"] or "")
    if harmless(file) != file or harmless(name) != name:
        return None
    loaded = f"np.load(Path(__file__).with_name({json.dumps(file, ensure_ascii=False)}))"
    if file.endswith(".npy"):
        return loaded
    return f"{loaded}[{json.dumps(name, ensure_ascii=False)}]" if file.endswith(".npz") and name else None


def _literal(array: Any) -> str:
    """Nested lists; a matrix that does not fit in a line has its rows on lines of their own."""
    whole = _listed(array.tolist())
    if array.ndim < 2 or len(whole) <= 60:
        return whole
    return "[\n" + "".join(f"    {_listed(row)},\n" for row in array.tolist()) + "]"


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_listed, cast('list[Any]', value)))}]"
    return repr(as_float(value))
