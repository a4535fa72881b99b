# Everything a newcomer needs: Python 3.11 or newer and make; no root, no Docker. See README.md.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin
# Passed on to the command behind the target: make demo ARGS=--exit, make test ARGS="-k merge_patch"
ARGS ?=
# Test processes. Each starts its own PostgreSQL and Redis, so more than there are cores slows them all down.
JOBS ?= 2

# How many stories `make simulate` tells; SEED=123 tells one again, KEEP=3,7 with only these of its happenings.
SEEDS ?= 200
SEED ?=
KEEP ?=

# How long `make fuzz` tries each target, in seconds.
SECONDS ?= 60

.PHONY: help setup demo recording test simulate model mutate fuzz bench chaos lint format lock clean

help: ## what there is
	@sed -nE 's/^([a-z]+):.*## (.*)/\1|\2/p' Makefile | awk -F '|' '{ printf "  make %-9s %s\n", $$1, $$2 }'

setup: $(READY) ## a virtual environment with everything pinned, and the command at .venv/bin/contactsync

$(READY): requirements.lock pyproject.toml tools/setup
	@tools/setup $(VENV)
	@touch $@

demo: $(READY) ## the main job, live, against five simulated vendors (ARGS=--exit: end by itself)
	@$(BIN)/contactsync demo $(ARGS)

recording: $(READY) ## docs/demo.svg, the moving picture in the README, from a run of the demo
	@$(BIN)/python -m tools.recording

# loadscope: the tests of one module stay in one process, so that a server which a module starts is started once.
test: $(READY) ## the whole test suite
	@$(BIN)/pytest -n $(JOBS) --dist loadscope $(ARGS)

simulate: $(READY) ## made-up stories with every kind of fault, from seeds (SEEDS=2000; one again: SEED=123)
	@$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED) $(if $(KEEP),--keep $(KEEP)),--seeds $(SEEDS)) $(ARGS)

model: $(READY) ## every order of a few steps from a few beginnings, over the real flows (ARGS="--depth 8 --seconds 300")
	@$(BIN)/python -m simulation.exhaustive $(ARGS)

fuzz: $(VENV)/.fuzz ## inputs that nobody thought of, SECONDS=60 for each target (ARGS="--keep recras robaws")
	@$(BIN)/python -m tools.fuzz --seconds $(SECONDS) $(ARGS)

# Not part of setup: there are wheels for Linux on x86-64 and Python 3.11 to 3.13 only.
$(VENV)/.fuzz: requirements-fuzz.lock $(READY)
	@$(BIN)/python -m pip --quiet install --require-hashes --only-binary :all: -r $< || \
		{ echo "make fuzz: there is no wheel of atheris for this machine; the kept inputs are tried by make test ARGS=tests/fuzz" >&2; exit 1; }
	@touch $@

mutate: $(READY) ## takes each guard out in a copy, and sees that a test notices (ARGS="--only lease", --list, --write)
	@$(BIN)/python tools/mutate.py $(ARGS)

bench: $(READY) ## the benchmarks; a table, and bench/results/*.json (ARGS=--peers: other products beside ours)
	@$(BIN)/python -m bench $(ARGS)

chaos: $(READY) ## ten minutes of mixed faults at 20 events a second, and a report
	@$(BIN)/contactsync drill all --own --minutes 10 --rate 20 --keep bench/results $(ARGS)

# alembic/ has no __init__.py (it would hide the library), so its files are modules of their own to mypy.
lint: $(READY) ## style, types, import directions, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=alembic $(BIN)/mypy alembic
	$(BIN)/lint-imports
	$(BIN)/python tools/check_sizes.py

format: $(READY) ## rewrite the code in the one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The second file is what the container image needs: no tools, no embedded servers; same versions as the first.
lock: export CUSTOM_COMPILE_COMMAND = make lock
lock: PIP_COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
lock: $(READY) ## pin every dependency, with hashes (ARGS=--upgrade: to the newest)
	$(PIP_COMPILE) --extra dev --extra embedded $(ARGS) -o requirements.lock pyproject.toml
	$(PIP_COMPILE) --build-deps-for editable --constraint requirements.lock $(ARGS) -o requirements-runtime.lock pyproject.toml
	echo atheris | $(PIP_COMPILE) $(ARGS) -o requirements-fuzz.lock -
	$(PIP_COMPILE) --constraint requirements.lock $(ARGS) -o bench/peers.lock bench/peers-requirements.txt

clean: ## remove what the targets above leave behind (not .contactsync, which holds data)
	rm -rf $(VENV) build dist *.egg-info .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache bench/results bench/.peers
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
