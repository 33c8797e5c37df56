# Two commands on a fresh machine do all: `make demo` and `make test`. Both set up .venv themselves; a second call installs nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= torch                     # e.g. TORCH="torch --index-url URL" for a CPU-only build
JOBS ?= $(shell $(PYTHON) -c "import os; print(os.cpu_count())")
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-all test-wheel test-lowest test-newest fuzz trials ledgers lint bench docs dist release clean

demo: $(VENV)/.run
	$(BIN)/deeptheory reproduce shwartz-ziv-tishby-2017 --scale quick --out runs/demo --engine processes

test: $(VENV)/.dev                 # types are checked beside the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(BIN)/pyright --pythonpath $(BIN)/python > $(VENV)/types.log 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -q -n $(JOBS); tests=$$?; \
	wait $$types; typed=$$?; cat $(VENV)/types.log; exit $$((tests | typed))

test-all: $(VENV)/.dev lint
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not gpu"

trials: $(VENV)/.dev               # full size, resumable by row: make trials SCIENCE=axis
	PYTHONPATH=tests $(BIN)/python -m trials $(SCIENCE)

dist: $(VENV)/.release             # wheel and sdist; the wheel is made from the sdist
	rm -rf dist
	$(BIN)/python -m build --no-isolation -o dist .

test-wheel: $(VENV)/.dev dist      # the installed wheel, against a copy of the tree without src/
	$(BIN)/python tools/fresh.py wheel

test-lowest test-newest: dist      # the ends of the ranges in pyproject.toml; both download torch
	$(BIN)/python tools/fresh.py $(@:test-%=%)

fuzz: $(VENV)/.dev                 # damaged files for every reader, ten minutes each
	$(BIN)/python tools/fuzz.py

release: dist                      # the checklist; python tools/release.py --tests runs the long tests too
	$(BIN)/python tools/release.py

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/.run
	mkdir -p runs
	$(BIN)/deeptheory bench --json > runs/bench.json
	$(BIN)/python docs/make_speed.py runs/bench.json docs/speed.md

ledgers: $(VENV)/.run               # the docs' ledgers, and what pages say of them, again from their stored claims, without a rerun
	for study in $$(ls docs/ledgers/runs | grep -v -- -standard$$); do \
		$(BIN)/python docs/make_ledger.py docs/ledgers/$$study.md $$(ls -d docs/ledgers/runs/$$study docs/ledgers/runs/$$study-standard 2>/dev/null); done
	$(BIN)/python docs/make_ledger.py --beside docs/ledgers/both_sides.md $(foreach s,shwartz-ziv-tishby-2017 saxe-2018 goldfeld-2019 tishby-zaslavsky-2015,docs/ledgers/runs/$(s))
	$(BIN)/python docs/make_theory.py
	$(BIN)/python docs/make_cited.py

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W -q docs docs/_build
	$(BIN)/python docs/check_site.py docs/_build

clean:
	rm -rf $(VENV) build dist docs/_build docs/_examples docs/gallery

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f'Python {v[0]}.{v[1]} found, 3.11 or newer is needed: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)

# torch first: with it in place, the rest asks for no other build of it
$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	@touch $@

$(VENV)/.release: $(VENV)/.run
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[release]"
	@touch $@

$(VENV)/.docs: $(VENV)/.run
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[docs]"
	@touch $@
