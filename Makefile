# make demo   a whole call on this machine, with no account, key or server
# make test   everything that a change must pass
# make check  what the tests do not run: style and types
# make bench  how fast the steps of the audio path are
# make soak   hundreds of calls in a row, and nothing is left of them

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo test check bench soak clean

demo: $(RUN_STAMP)
	@echo "demo: a caller, a bridge and an agent on this machine; the call goes into call.wav"
	@$(BIN)/bridge demo

test: $(DEV_STAMP)
	@.ci/debian-packages redis-server=redis-server curl=curl
	@echo "test: all tests, with $$($(BIN)/python --version)"
	@$(BIN)/python -m pytest

check: $(DEV_STAMP)
	@echo "check: style, then types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(DEV_STAMP)
	@echo "bench: the steps of the audio path, ours beside plain ones"
	@$(BIN)/python -m pytest -m benchmark_only --benchmark-only --timeout 600 tests/bench

soak: $(DEV_STAMP)
	@echo "soak: calls in a row and at once, for about ten minutes"
	@$(BIN)/python -m pytest -m soak --timeout 1800 -s tests/journeys

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks call.wav

# A stamp is newer than pyproject.toml once everything that it names is installed.
$(RUN_STAMP): pyproject.toml | $(BIN)/python
	@echo "setup: installing the bridge and what it needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV_STAMP): pyproject.toml | $(BIN)/python
	@echo "setup: installing the bridge and what its tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(RUN_STAMP)

$(BIN)/python:
	@.ci/python-venv "$(PYTHON)" "$(VENV)"
