# Everything lives in .venv (ours) and .peer (Josev, for `make interop`); `make clean` removes what was made.

VENV := .venv
BIN := $(VENV)/bin
PEER ?= $(if $(PLUGCHARGE_PEER),$(PLUGCHARGE_PEER),.peer)

# The first interpreter that runs and is new enough; a shim that only claims to be one is passed over.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

# Half of the tests wait for processes and timers: one worker more than processors.
WORKERS := $(shell expr $$(nproc 2>/dev/null || echo 1) + 1)

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo venv test check interop bench fuzz endurance provision clean

help:
	@echo "make demo       charge a car on this machine (Plug & Charge, AC); DEMO=\"--energy dc\" for other sessions"
	@echo "make test       ruff, mypy --strict, pytest"
	@echo "make check      ruff and mypy alone"
	@echo "make interop    sessions against Josev, both ways (needs make provision)"
	@echo "make bench      codec, response time, start-up, memory, PKI, TLS (needs make provision for Josev's part)"
	@echo "make fuzz       hostile bytes for every codec and parser, led by coverage, SECONDS=60 each"
	@echo "make endurance  all tests with their large counts"
	@echo "make provision  install what tests of peers need: mosquitto, a JDK, Josev in .peer"
	@echo "make venv       only make .venv with everything the tests import"
	@echo "make clean      remove .venv, .peer and caches"

demo: $(VENV)/.demo
	@$(BIN)/python -m plugcharge demo $(DEMO)

venv: $(VENV)/.test

check: $(VENV)/.test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy

test: check
	@$(BIN)/pytest -m "not interop" --numprocesses $(WORKERS) --maxprocesses 6 --dist loadfile

interop: $(VENV)/.test
	@test -x $(PEER)/bin/python || { echo "Josev is missing: run 'make provision' first"; exit 1; }
	@$(BIN)/pytest -m interop

bench: $(VENV)/.test
	@$(BIN)/python -m benchmarks.codec
	@$(BIN)/python -m benchmarks.station
	@$(BIN)/python -m benchmarks.pki
	@$(BIN)/python -m benchmarks.tls

fuzz: $(VENV)/.test
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

endurance: $(VENV)/.test
	@PLUGCHARGE_ENDURANCE=1 $(BIN)/pytest

provision:
	@PYTHON="$(PYTHON)" .ci/provision

clean:
	@rm -rf .venv .peer build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# The tests' extra contains the demo's, so that it serves both.
$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV)"
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV), with everything the tests import"
	@$(INSTALL) --editable '.[test,fuzz]'
	@touch $(VENV)/.demo $@
