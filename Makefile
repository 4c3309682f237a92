# Everything happens in a virtual environment of its own; `make run` and `make test` set it up.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install run test check fix soak bench snapshots pictures

help: ## Say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

install: .venv/installed ## Set up .venv with the program and the tools to develop it

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@

run: install ## Train FOMAML and Reptile in the dashboard
	$(BIN)/tui-meta

test: check ## Prove it: lint, types, import contracts, tests
	$(BIN)/pytest

check: install ## Lint, types and import contracts; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: install ## Format, and mend what can be mended by a machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: install ## Accept the present screens as the expected ones; review the difference first
	$(BIN)/pytest -n 0 tests/tui_meta --snapshot-update

pictures: install ## Take the pictures of README and docs anew, of runs that train meanwhile
	$(BIN)/python docs/pictures.py

soak: install ## Try the long forms of what the tests try shortly; docs/reliability.md has the figures
	TUI_META_SOAK=1 $(BIN)/pytest -n 2 --timeout 7200 --durations 30 -rP \
		--hypothesis-show-statistics tests/fuzz tests/tui_meta/delta_driver \
		tests/end_to_end/test_kill.py tests/end_to_end/test_ssh.py tests/end_to_end/test_endurance.py \
		tests/end_to_end/test_storm.py

bench: install ## Measure speed beside the peers and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks
