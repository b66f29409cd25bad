# Two commands: `make demo` and `make test`. Each sets up all it needs from Python 3.11+ and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test fast coverage chaos fuzz lint odoo diagnoses screenshots bench clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Odoorway needs Python 3.11 or newer; say which with make PYTHON=python3.12")'
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	@$(BIN)/uv sync --quiet --frozen
	@touch $(READY)

demo: $(READY)  ## the main job: signed webhooks become orders in a sandbox Odoo
	@$(BIN)/odoorway demo

test: $(READY)  ## the whole test suite, a real Odoo 19 among it where it can be had
	@$(BIN)/pytest

fast: $(READY)  ## the tests that need no real Odoo
	@$(BIN)/pytest -m "not odoo and not odoo14"

SECONDS := 1200
SEED :=
chaos: $(READY)  ## faults of every kind for 20 minutes: SECONDS= and SEED= choose
	@CHAOS_SECONDS=$(SECONDS) CHAOS_SEED=$(SEED) $(BIN)/pytest -s -m chaos tests/chaos

fuzz: SECONDS := 600
fuzz: $(READY)  ## bytes of strangers for ten minutes, guided by coverage: SECONDS= chooses; CI does seconds of it
	@$(BIN)/uv sync --quiet --frozen --group fuzz
	@$(BIN)/python scripts/fuzz $(SECONDS)

coverage: $(READY)  ## which code the fast tests enter, by package; what they start as processes is not counted
	@$(BIN)/pytest -m "not odoo and not odoo14" --cov --cov-report=json:.coverage.json
	@$(BIN)/python scripts/coverage .coverage.json

lint: $(READY)  ## linters, types, and which module may import which
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

odoo: $(READY)  ## a real Odoo 19 to try things on; prints its address and key
	@scripts/odoo start

diagnoses: $(READY)  ## how many recorded answers of real Odoos are recognised
	@$(BIN)/python scripts/diagnoses

screenshots: $(READY)  ## pictures of every page of the console, for the docs
	@$(BIN)/python scripts/screenshots

bench: $(READY)  ## the benchmarks; each prints ratios
	@$(BIN)/python benchmarks/ingest.py
	@$(BIN)/python benchmarks/deliver.py
	@$(BIN)/python benchmarks/checkpoint.py
	@$(BIN)/python benchmarks/waiting.py
	@$(BIN)/python benchmarks/handlers.py
	@$(BIN)/python benchmarks/logs.py

clean:  ## remove what was set up here, the cached Odoo too
	@scripts/odoo stop --all || true
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .coverage* .hypothesis .import_linter_cache
