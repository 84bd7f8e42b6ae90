# graphite-pager: `make demo` shows it at work, `make test` proves it. `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Any Python from 3.11 on. Override with `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python /usr/bin/python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# The real Graphite of the demo and the tests lives apart, because its Django must not leak into ours.
GRAPHITE_BASE_PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 $(PYTHON); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

BIN := .venv/bin
PIP := -m pip --disable-pip-version-check install --quiet

.PHONY: help setup demo playground run test unit check fmt docs links bench soak clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.ready .venv-graphite/.ready ## Make .venv and the Graphite of the tests

.venv/.ready: pyproject.toml graphitepager/__init__.py
	@test -n "$(PYTHON)" || { echo "graphite-pager needs Python 3.11 or later: install it, or run make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	@echo "Installing graphite-pager into .venv ($$($(PYTHON) --version)) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) --upgrade 'pip>=25.1'
	@$(BIN)/python $(PIP) --editable '.[apprise,mysql,postgres]' --group dev
	@touch $@

GRAPHITE_SERVER := $(addprefix tests/graphite_server/,install.py compat.py sitecustomize.py requirements.txt)

.venv-graphite/.ready: $(GRAPHITE_SERVER)
	@echo "Installing a real Graphite into .venv-graphite ($$($(GRAPHITE_BASE_PYTHON) --version)) ..."
	@$(GRAPHITE_BASE_PYTHON) tests/graphite_server/install.py .venv-graphite
	@touch $@

demo: setup ## The main job in a minute: real Graphite, a breach, an incident, its end
	@$(BIN)/python -m tests.demo

playground: setup ## A Graphite and a PagerDuty to try it with, for the tutorial
	@$(BIN)/python -m tests.demo.playground

run: .venv/.ready ## Run against your own Graphite: make run GRAPHITE_URL=https://graphite.example.com
	@$(BIN)/graphite-pager run

# They print their counts, which parallel runs would swallow.
PROOFS := $(addprefix tests/integration/,test_soak.py test_outage.py test_kill.py)

test: setup unit ## The whole test suite
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(addprefix --ignore ,$(PROOFS)) tests/integration
	@$(BIN)/python -m pytest $(PROOFS)

unit: .venv/.ready ## Only the tests that touch nothing, in seconds
	@$(BIN)/python -m pytest --numprocesses auto tests/unit

check: .venv/.ready ## Format, lint, types and layers, as CI runs them
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: .venv/.ready ## Format, and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: .venv/.ready ## Build the documentation into docs/_build/html
	@$(BIN)/python $(PIP) --group docs
	@$(BIN)/python -m sphinx -E -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

links: .venv/.ready ## Ask every link of the documentation whether it is there: needs the network
	@$(BIN)/python $(PIP) --group docs
	@$(BIN)/python -m sphinx -q -b linkcheck docs docs/_build/links

bench: .venv/.ready ## How fast a poll is, beside the least that any program could do
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.sql_to_graphite

soak: .venv/.ready ## Two thousand drawn lives of a pager to which everything happens
	@$(BIN)/python -m tests.soak --examples 2000 --random

clean: ## Remove what the other targets made
	rm -rf .venv .venv-graphite docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
