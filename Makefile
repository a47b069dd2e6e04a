# make demo   a whole call on this machine, with no account, key or server
# make crash  the same on two workers, one of which is killed in mid-sentence
# make test   everything that a change must pass
# make check  what the tests do not run: style and types
# make bench  what a frame costs, step by step, and what calls cost on this machine
# make soak   hundreds of calls in a row, and nothing is left of them
# make chaos  calls while workers, Redis and providers die (CALLS=40 SECONDS=120 SEED=7)

PYTHON ?= python3
VENV ?= .venv
# Most of the tests' time is spent in calls that take their time.
JOBS ?= 3
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo crash test check bench soak chaos clean

demo: $(RUN_STAMP)
	@echo "demo: a caller, a bridge and an agent on this machine; the call goes into call.wav"
	@$(BIN)/bridge demo

crash: $(RUN_STAMP)
	@.ci/debian-packages redis-server=redis-server
	@echo "crash: a worker is killed in mid-sentence, and the call goes on; it goes into call.wav"
	@$(BIN)/bridge demo --crash

test: $(DEV_STAMP)
	@.ci/debian-packages redis-server=redis-server curl=curl haproxy=haproxy nginx=nginx \
		sipp=sip-tester baresip=baresip kamailio=kamailio
	@echo "test: all tests, with $$($(BIN)/python --version), $(JOBS) files at once"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --benchmark-disable

check: $(DEV_STAMP)
	@echo "check: style, then types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(DEV_STAMP)
	@echo "bench: the steps of the audio path, each beside a plain one"
	@$(BIN)/python -m pytest -m benchmark_only --benchmark-only --timeout 600 tests/bench
	@echo "bench: calls through a worker, beside plain relays, for about six minutes"
	@$(BIN)/bridge bench
	@echo "bench: calls over SIP, for about a minute"
	@$(BIN)/bridge bench --sip --calls 40,100 --pin

soak: $(DEV_STAMP)
	@echo "soak: calls in a row and at once, for about ten minutes"
	@$(BIN)/python -m pytest -m soak --timeout 1800 -s tests/journeys

chaos: $(DEV_STAMP)
	@.ci/debian-packages redis-server=redis-server haproxy=haproxy
	@echo "chaos: whole calls while things die, for about a quarter of an hour"
	@$(BIN)/python -m pytest -m chaos --timeout 1800 -s tests/chaos

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks call.wav \
		build *.egg-info bridge/*.so

# A stamp is newer than what is installed from: packages by their names, and a few steps in C.
$(RUN_STAMP): pyproject.toml bridge/_kernel.c | $(BIN)/python
	@echo "setup: installing the bridge and what it needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV_STAMP): pyproject.toml bridge/_kernel.c | $(BIN)/python
	@echo "setup: installing the bridge and what its tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(RUN_STAMP)

$(BIN)/python:
	@.ci/python-venv "$(PYTHON)" "$(VENV)"
