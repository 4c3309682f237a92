# All targets use the virtual environment .venv; `make run` and `make test` create it.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install run test test-quick check fix soak bench snapshots pictures

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

install: .venv/installed ## Create .venv with the program and the development tools

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@

run: install ## Train FOMAML and Reptile in the dashboard
	$(BIN)/tui-meta

test: check ## Run all checks and tests
	$(BIN)/pytest

test-quick: install ## Run the tests that are not marked e2e, picture or slow
	$(BIN)/pytest -m "not e2e and not picture and not slow"

check: install ## Check lint, format, types, import contracts and words; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_words.py

fix: install ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: install ## Accept the current screens as the expected ones; review the differences first
	$(BIN)/pytest -m picture --snapshot-update tests/tui_meta

pictures: install ## Regenerate the pictures of README and docs from real runs
	$(BIN)/python docs/pictures.py

soak: install ## Run the long forms of the tests; docs/reliability.md has the results
	TUI_META_SOAK=1 $(BIN)/pytest -n 2 --timeout 7200 --durations 30 -rP \
		--hypothesis-show-statistics tests/fuzz tests/tui_meta/delta_driver \
		tests/end_to_end/test_kill.py tests/end_to_end/test_ssh.py tests/end_to_end/test_endurance.py \
		tests/end_to_end/test_storm.py tests/end_to_end/test_sweep.py \
		tests/core/engines/test_fused_kernel.py

bench: install ## Run the benchmarks and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks
