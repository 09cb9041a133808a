# What people and CI run. `make help` lists it. Needs only Python 3.11 or newer.

VENV ?= .venv
WHEEL_VENV ?= .venv-wheel
PEERS_VENV ?= .venv-peers
DATASETTE_VENV ?= .venv-datasette
MCP_VENV ?= .venv-mcp
SCHEMATHESIS_VENV ?= .venv-schemathesis
# More than cores: many tests wait for processes that they started.
WORKERS ?= 3
PYTEST_ARGS ?=
MATRIX_ARGS ?=
SECONDS ?= 60
SEED ?= 1
TARGET ?= all
FUZZ_VENV ?= .venv-fuzz

BIN = $(VENV)/bin
WHEEL_BIN = $(CURDIR)/$(WHEEL_VENV)/bin
PEERS_BIN = $(CURDIR)/$(PEERS_VENV)/bin
DATASETTE = $(CURDIR)/$(DATASETTE_VENV)/bin/datasette
SCHEMATHESIS = $(CURDIR)/$(SCHEMATHESIS_VENV)/bin/schemathesis
MCP_BIN = $(CURDIR)/$(MCP_VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help test prepare environments peers-environment datasette-environment mcp-environment schemathesis-environment lint format check-format types imports wheel test-wheel peers peers-wheel peers-install mcp-install docs pictures compat matrix test-oldest chaos fuzz soak bench demo clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: prepare test-wheel test-oldest  ## everything CI runs: lint, types, import directions, all tests against the built wheel

# One core looks through the types while the other one unpacks packages. A Python that is missing is installed once.
prepare:
	@.ci/python > /dev/null
	@$(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) lint environments

environments: $(WHEEL_VENV)/.ready peers-environment datasette-environment mcp-environment schemathesis-environment

peers-environment:
	@$(MAKE) --no-print-directory $(PEERS_VENV)/.ready || echo "MISSING: the plugins of others, in $(PEERS_VENV)" >&2

datasette-environment:
	@$(MAKE) --no-print-directory $(DATASETTE_VENV)/.ready || echo "MISSING: Datasette, in $(DATASETTE_VENV)" >&2

mcp-environment:
	@$(MAKE) --no-print-directory $(MCP_VENV)/.ready || echo "MISSING: the SDK of the Model Context Protocol, in $(MCP_VENV)" >&2

schemathesis-environment:
	@$(MAKE) --no-print-directory $(SCHEMATHESIS_VENV)/.ready || echo "MISSING: Schemathesis, in $(SCHEMATHESIS_VENV)" >&2

$(VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(VENV) --group dev --editable .
	@touch $@

$(WHEEL_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(WHEEL_VENV) --group test
	@touch $@

$(PEERS_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(PEERS_VENV) --group peers
	@touch $@

$(DATASETTE_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(DATASETTE_VENV) --group datasette
	@touch $@

$(MCP_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(MCP_VENV) --group mcp
	@touch $@

$(SCHEMATHESIS_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(SCHEMATHESIS_VENV) --group schemathesis
	@touch $@

lint: check-format types imports  ## ruff, mypy --strict, import directions

check-format: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.ready
	$(BIN)/mypy

imports: $(VENV)/.ready
	$(BIN)/lint-imports

format: $(VENV)/.ready  ## format the code and apply ruff's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

wheel: $(VENV)/.ready  ## sdist, and the wheel built from it, in dist/
	@rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist > /dev/null
	@ls dist

peers-wheel: wheel
	@$(MAKE) --no-print-directory peers-install

# The wheel is there already.
peers-install: $(PEERS_VENV)/.ready
	@$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/*.whl
	@$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	@echo $(PEERS_BIN)/python > $(PEERS_VENV)/.has-wheel

mcp-install: $(MCP_VENV)/.ready
	@$(MCP_BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/*.whl
	@$(MCP_BIN)/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	@echo $(MCP_BIN)/python > $(MCP_VENV)/.has-wheel

# Packages of others that cannot be had keep one test file from running, which says so itself (and fails in CI).
test-wheel: wheel $(WHEEL_VENV)/.ready  ## all tests against the installed wheel, with coverage
	@$(WHEEL_BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/*.whl
	@$(WHEEL_BIN)/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	@rm -f .coverage .coverage.*
	@rm -f $(PEERS_VENV)/.has-wheel $(MCP_VENV)/.has-wheel
	@$(MAKE) --no-print-directory peers-install || echo "MISSING: the plugins of others, in $(PEERS_VENV)" >&2
	@$(MAKE) --no-print-directory mcp-install || echo "MISSING: the SDK of the Model Context Protocol, in $(MCP_VENV)" >&2
	@$(MAKE) --no-print-directory datasette-environment schemathesis-environment
	PATH="$(WHEEL_BIN):$$PATH" SEMANTEST_TEST_WHEEL=1 SEMANTEST_COVERAGE=1 SEMANTEST_DATASETTE=$$(ls $(DATASETTE) 2>/dev/null) SEMANTEST_SCHEMATHESIS=$$(ls $(SCHEMATHESIS) 2>/dev/null) SEMANTEST_PEERS=$$(cat $(PEERS_VENV)/.has-wheel 2>/dev/null) SEMANTEST_MCP=$$(cat $(MCP_VENV)/.has-wheel 2>/dev/null) $(WHEEL_BIN)/coverage run $(WHEEL_BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow" --hypothesis-profile=repeatable $(PYTEST_ARGS)
	@$(WHEEL_BIN)/coverage combine --quiet
	$(WHEEL_BIN)/coverage report --fail-under=90

test-oldest: wheel  ## a few tests with the oldest requirements that the package allows
	@$(BIN)/python -m tests.matrix --short --workers $(WORKERS) --wheel dist/*.whl

docs: $(VENV)/.ready  ## the reference pages made from the code
	$(BIN)/python docs/generate.py

pictures: $(VENV)/.ready  ## the pictures of the dashboard in docs/pictures, of the example suite with a history
	$(BIN)/python docs/take_pictures.py

compat: $(VENV)/.ready  ## suites of well-known packages, bare and recorded, compared test by test
	$(BIN)/python -m tests.compat.compare_suites

peers: $(VENV)/.ready peers-wheel  ## recorded tests beside well-known plugins, each alone and many at once, compared with bare ones
	SEMANTEST_PEERS=$(PEERS_BIN)/python $(BIN)/pytest -n $(WORKERS) tests/acceptance/test_peers.py $(PYTEST_ARGS)

matrix: wheel  ## all tests with every Python here, with oldest and newest requirements; MATRIX_ARGS: see --help
	$(BIN)/python -m tests.matrix --wheel dist/*.whl $(MATRIX_ARGS)

chaos: $(VENV)/.ready  ## break everything around recorded runs for SECONDS, by SEED, and look for what is lost
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED)

$(FUZZ_VENV)/.ready: pyproject.toml .ci/environment
	@.ci/environment $(FUZZ_VENV) --group fuzz --editable .
	@touch $@

fuzz: $(FUZZ_VENV)/.ready  ## look for bytes that break a TARGET (configuration, decoder, journal, ...) for SECONDS, by coverage
	$(FUZZ_VENV)/bin/python -m tests.fuzz $(TARGET) --seconds $(SECONDS)

soak: $(VENV)/.ready  ## hours of a team's recorder in SECONDS (600 unless given), by SEED: does anything that it uses grow?
	$(BIN)/python -m tests.soak --seconds $(if $(filter file,$(origin SECONDS)),600,$(SECONDS)) --seed $(SEED)

bench: $(VENV)/.ready  ## all benchmarks; docs/benchmarks.md is written anew
	$(BIN)/python -m benchmarks.overhead --write
	$(BIN)/python -m benchmarks.publish ingest plugins rebuild commands api html_report recovery latency live_pages per_test subscribers slowdown selection pages

demo: $(VENV)/.ready  ## record the example suite and show what was recorded
	@examples/demo $(BIN)

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(WHEEL_VENV) $(PEERS_VENV) .venv-bench .bench $(FUZZ_VENV) $(DATASETTE_VENV) $(MCP_VENV) $(SCHEMATHESIS_VENV) .fuzz .matrix dist build htmlcov .coverage .coverage.* \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
