# All targets use the virtual environment .venv. `make run` creates it with what running needs, all
# others add the development tools; each installs again when what is to be installed has changed.
PYTHON ?= python3
BIN := .venv/bin
SEEDS := 5

.DEFAULT_GOAL := help
.PHONY: help install develop run test pytest test-quick check lint types fix soak bench snapshots \
	pictures reproduction

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

PIP := $(BIN)/pip install --quiet --constraint constraints.txt --editable

install: .venv/installed ## Create .venv with the program

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) .
	touch $@

develop: .venv/developed ## Create .venv with the program and the development tools

.venv/developed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) '.[dev]'
	touch .venv/installed $@

run: install ## Train FOMAML and Reptile in the dashboard
	$(BIN)/tui-meta

test: lint ## Run all checks and tests
	$(MAKE) --jobs=2 types pytest

pytest: develop
	$(BIN)/pytest

test-quick: develop ## Run the tests that are not marked e2e, picture or slow
	$(BIN)/pytest -m "not e2e and not picture and not slow"

check: lint types ## Check lint, format, types, import contracts and words; changes nothing

lint: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_words.py

types: develop
	$(BIN)/mypy

fix: develop ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: develop ## Accept the current screens as the expected ones; review the differences first
	$(BIN)/pytest -m picture --snapshot-update tests/tui_meta

reproduction: develop ## Train published results again and write the tables of docs/reproduction.md
	$(BIN)/python docs/reproduction.py --seeds $(SEEDS)

pictures: develop ## Regenerate the pictures of README and docs from real runs
	$(BIN)/python docs/pictures.py

soak: develop ## Run the long forms of the tests; docs/reliability.md has the results
	TUI_META_SOAK=1 $(BIN)/pytest -n 2 --timeout 7200 --durations 30 -rP \
		--hypothesis-show-statistics tests/fuzz tests/tui_meta/delta_driver \
		tests/end_to_end/test_kill.py tests/end_to_end/test_ssh.py tests/end_to_end/test_endurance.py \
		tests/end_to_end/test_storm.py tests/end_to_end/test_sweep.py \
		tests/core/engines/test_fused_kernel.py

bench: develop ## Run the benchmarks and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks
