"""Large results go to a file: an .npz of NumPy's.

Of a network of single numbers three arrays, `names`, `values` and `derivatives`, in the network's order; of a network
of arrays one for each quantity, `value:W1` and `derivative:W1`. The file is there whole or not at all.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backhand.core.graph import Graph
from backhand.engines import compile as compiled
from backhand.errors import UsageError

Say = Callable[[str], None]


def keep(graph: Graph, file: str, *, of: str | None = None, say: Say = lambda _: None) -> str:
    """Works a network out and writes every value and derivative to `file`; returns the output's name. `say` is told
    what is being done."""
    if not file.endswith(".npz"):
        raise UsageError(f"{file} does not end in .npz, as files of arrays do.", cure="Name it so.")
    symbol = next((quantity for quantity in graph.quantities if quantity.symbolic), None)
    if symbol is not None:
        raise UsageError(
            f"{symbol.name} has no value, and a file holds numbers.", symbol.span, cure=f"Write one: {symbol.name} = 1."
        )
    say(f"preparing {len(graph)} quantities")
    function = compiled(graph, of=of)
    say(f"computing ({function.engine}: {function.why})")
    found = function()
    if graph.arrays:
        arrays: dict[str, Any] = {f"value:{name}": value for name, value in found.values.items()}
        arrays |= {f"derivative:{name}": value for name, value in found.derivatives.items()}
    else:
        names = list(found.values)
        derivatives = np.array([found.derivatives.get(name, 0.0) for name in names])
        arrays = {"names": np.array(names), "values": np.array(list(found.values.values())), "derivatives": derivatives}
    path = Path(file)
    part = path.with_name(path.name + ".part")
    try:
        _write(part, arrays, say)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
    return found.of


def _write(file: Path, arrays: dict[str, Any], say: Say) -> None:
    """As np.savez does, an array at a time, so that one hears how far it is."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as pack:
        for count, (name, array) in enumerate(arrays.items(), 1):
            say(f"writing {count} of {len(arrays)} arrays")
            with pack.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
