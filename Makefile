# One environment, .venv, for everything; each list of pinned packages is installed once and again when it changes.
#
#   make demo      install Backhand, solve the founding exercise and mark the founding answer
#   make check     format, lint, types, import arrows
#   make test      the tests, with everything they need       make test ARGS="-k page"
#   make bench     speed against other libraries
#   make nightly   all tests, many more examples, LaTeX compiled, fuzzing
#   make format    let ruff mend what it can
#   make pins      choose the newest versions for requirements/*.txt
#   make clean     remove what was made

PYTHON ?= python3
ARGS   ?=
JOBS   ?= 2
FUZZ_SECONDS ?= 60

DEMO_NETS = examples/q3.bh

BIN   := .venv/bin
STAMP := .venv/stamps
TORCH ?= $(STAMP)/torch
# Nothing may ask a question, and pip speaks only of errors: each target says itself what it installs.
PIP   := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq
SAY   := @printf '\n== %s\n'

.PHONY: demo check check-format check-lint check-types check-arrows test bench nightly format pins clean chromium latex
.DELETE_ON_ERROR:
.NOTPARALLEL:

demo: $(STAMP)/runtime
	@for net in $(DEMO_NETS); do \
	  printf '\n== backhand solve %s\n' "$$net"; \
	  $(BIN)/backhand solve "$$net" || exit; \
	done
	@printf '\n== backhand mark examples/q3.bh examples/q3-answer.md\n'
	@$(BIN)/backhand mark examples/q3.bh examples/q3-answer.md

check: check-format check-lint check-types check-arrows      # make -k check: go on after the first that fails

check-format: $(STAMP)/dev
	$(SAY) 'ruff format'
	@$(BIN)/ruff format --check

check-lint: $(STAMP)/dev
	$(SAY) 'ruff check'
	@$(BIN)/ruff check

check-types: $(STAMP)/dev
	$(SAY) 'pyright'
	@$(BIN)/pyright

check-arrows: $(STAMP)/dev
	$(SAY) 'import arrows'
	@$(BIN)/lint-imports --no-logo

test: $(STAMP)/dev $(TORCH) chromium
	$(SAY) 'pytest'
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

bench: $(STAMP)/bench
	@$(BIN)/python bench/run.py $(ARGS)

nightly: $(STAMP)/nightly $(STAMP)/torch chromium latex
	$(SAY) 'pytest, nightly'
	@BACKHAND_NIGHTLY=1 $(BIN)/python -m pytest -n $(JOBS) -m "nightly or not nightly" --hypothesis-profile=nightly $(ARGS)
	@for fuzzer in $(wildcard tests/fuzz/*.py); do \
	  printf '\n== fuzzing, %s seconds: %s\n' $(FUZZ_SECONDS) "$$fuzzer"; \
	  $(BIN)/python "$$fuzzer" -max_total_time=$(FUZZ_SECONDS) || exit; \
	done

format: $(STAMP)/dev
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +


# ---- the environment

$(STAMP)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Backhand needs Python 3.11 or newer; $(PYTHON) is older. Say: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(SAY) 'making .venv'
	@$(PYTHON) -m venv .venv || \
	  { echo "No environment could be made. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p $(STAMP) && touch $@

# Everything comes from the pinned lists, the build backend too; so nothing else is looked for when Backhand is installed.
$(STAMP)/runtime: requirements/runtime.txt pyproject.toml $(STAMP)/venv
	$(SAY) 'installing Backhand and what it runs on: click, lark, numpy, rich'
	@$(PIP) --require-hashes -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src   # as pip does for an ordinary install; without it each start compiles again
	@touch $@

$(STAMP)/dev: requirements/dev.txt $(STAMP)/runtime
	$(SAY) 'installing what check and test use: ruff, pyright, import-linter, pytest, hypothesis, playwright, sympy, jax, numba (about 450 MB)'
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(STAMP)/bench: requirements/bench.txt $(STAMP)/dev
	$(SAY) 'installing the libraries to measure against: autograd, casadi, drjit, micrograd, symengine'
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

# Not pinned by hash: builds for one version differ by machine (docs/decisions/0007-pins.md).
$(STAMP)/torch: $(STAMP)/dev
	$(SAY) 'installing torch, against which arrays are tested (200 MB for a CPU, GBs for a GPU; make test TORCH= does without)'
	@$(PIP) torch==2.13.0
	@touch $@

$(STAMP)/nightly: requirements/nightly.txt $(STAMP)/dev
	$(SAY) 'installing atheris'
	@$(PIP) --require-hashes -r requirements/nightly.txt
	@touch $@


# ---- programs from the system's packages

# The browser tests look for the same names; CHROMIUM=/path/to/it says where else it is.
chromium:
	@{ [ -n "$$CHROMIUM" ] || command -v chromium || command -v chromium-browser || command -v google-chrome; } \
	  >/dev/null || $(call apt,chromium)

latex:
	@{ command -v pdflatex && kpsewhich tikz.sty; } >/dev/null || \
	  $(call apt,texlive-latex-base texlive-latex-recommended texlive-fonts-recommended texlive-pictures)

# Install the packages $(1), as root or through sudo, or say what is missing.
apt = { \
  printf '\n== installing with apt-get: %s\n' '$(1)'; \
  [ "$$(id -u)" = 0 ] || sudo=$$(command -v sudo) && command -v apt-get >/dev/null || \
    { echo 'This needs apt-get, and root or sudo. Please install by other means: $(1)' >&2; exit 1; }; \
  $$sudo apt-get -qq update && \
  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(1) >/dev/null; }


# ---- the pinned lists

PIN = $(STAMP)/uv/bin/uv pip compile -q --universal --python-version 3.11 --fork-strategy fewest --upgrade \
  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make pins"

pins: $(STAMP)/venv
	$(SAY) 'installing uv, to choose versions with'
	@$(PYTHON) -m venv $(STAMP)/uv && $(STAMP)/uv/bin/python -m pip --disable-pip-version-check install -qq uv
	@$(PIN) pyproject.toml requirements/build.in --extra dev -o requirements/dev.txt
	@$(PIN) pyproject.toml requirements/build.in -c requirements/dev.txt -o requirements/runtime.txt
	@$(PIN) requirements/bench.in -c requirements/dev.txt -o requirements/bench.txt
	@$(PIN) requirements/nightly.in -c requirements/dev.txt -o requirements/nightly.txt
	@! grep -nE '://|--(index|extra|find|trusted)' requirements/*.txt
