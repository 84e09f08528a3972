"""What pytest leaves alone when it looks for examples in docstrings: modules of extras that are not installed."""

from importlib.util import find_spec

EXTRAS = {"numba": ["backhand/engines/tape_kernels.py", "backhand/engines/tape.py", "backhand/engines/points.py"]}
collect_ignore = [path for library, paths in EXTRAS.items() if find_spec(library) is None for path in paths]
