# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
# mypy cannot follow the editable install's mapping of codemods/ and templates/ into tlfix, nor know
# that the probe's agent is called tlfix_agent where it runs: it sees this tree of links instead.
TYPED := .cache/typed

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint types docs overhead seeds faultbench faultbench-quick clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "tlfix needs Python 3.11 or later; try: make PYTHON=python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[tensorflow,dev]'
	@touch $@

demo: $(STAMP)  ## diagnose and repair a broken script, live (some minutes)
	$(BIN)/python examples/demo.py

test: lint  ## what CI runs: lint, types, and every test that is not slow
	$(BIN)/python -m pytest -q -m "not slow"

test-slow: $(STAMP)  ## the tests that train for minutes
	$(BIN)/python -m pytest -q -m slow

lint: $(STAMP) types  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	@rm -rf $(TYPED) && mkdir -p $(TYPED)/tlfix
	@ln -sfn $(CURDIR)/tlfix/* $(TYPED)/tlfix/
	@ln -sfn $(CURDIR)/codemods $(CURDIR)/templates $(TYPED)/tlfix/
	@ln -sfn $(CURDIR)/tlfix/probe/agent $(TYPED)/tlfix_agent
	MYPYPATH=$(TYPED) $(BIN)/mypy -p tlfix
	MYPYPATH=$(TYPED) $(BIN)/mypy examples/assets

docs: $(STAMP)  ## bring the generated pages and schemas in docs/ up to date
	$(BIN)/python -m tlfix.report.pages docs

overhead: $(STAMP)  ## what a probe costs, as ratios against the bare script (some minutes)
	$(BIN)/python benchmarks/overhead.py

seeds: $(STAMP)  ## diagnose and repair the example programs, into docs/seed-results.md (about an hour)
	$(BIN)/python benchmarks/seeds.py --jobs 2

faultbench: $(STAMP)  ## two hundred programs with planted faults, into benchmarks/faultbench (about three hours)
	$(BIN)/python -m benchmarks.faultbench --jobs 2

faultbench-quick: $(STAMP)  ## twelve of them, diagnosis only (about ten minutes)
	$(BIN)/python -m benchmarks.faultbench --quick --jobs 2

clean:  ## remove the virtual environment and every cache
	rm -rf .venv .cache .demo .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
