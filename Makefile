# make report | test | setup | lab | docs | lock | lint | proofs | soak | references | bench
STUDY ?= drie-kunnen-meer-dan-een
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
export UV_PROJECT_ENVIRONMENT := .venv
export EXPERTISE_CACHE ?= $(CURDIR)/.cache
LOCK := uv.lock pyproject.toml requirements/setup.txt
SUITE := $(BIN)/python -m pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup report test lint lab docs lock proofs soak references bench clean

help:
	@echo "make report   install, then build the report of STUDY=$(STUDY)"
	@echo "make test     install the test tools, then run everything"
	@echo "make setup    install only"
	@echo "make lab      open JupyterLab"

$(UV): requirements/setup.txt
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { echo "This Python has no venv; on Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/setup.txt
	@touch $(UV)

.venv/.setup: $(LOCK) | $(UV)
	$(UV) sync --quiet --frozen --inexact --all-extras
	@touch $@

.venv/.test: $(LOCK) | .venv/.setup
	$(UV) sync --quiet --frozen --all-extras --all-groups
	@touch $@

# The index of names and places for de-identification: over a minute, once.
.cache/.names: .venv/.setup
	$(BIN)/python -c "from expertise.narratives.known import prepare_deduce; prepare_deduce()"
	@touch $@

setup: .venv/.setup .cache/.names

report: .venv/.setup
	@$(BIN)/expertise report studies/$(STUDY)

test: .venv/.test .cache/.names lint
	$(SUITE) --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg -m "not proof and not soak" tests expertise notebooks

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lab: .venv/.setup
	$(BIN)/jupyter lab --notebook-dir=.

lock:
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL $(UV) lock
	$(UV) export --quiet --frozen --no-emit-project --no-default-groups --all-extras -o requirements/core.txt
	$(UV) export --quiet --frozen --no-emit-project --all-groups --all-extras -o requirements/test.txt
	$(UV) export --quiet --frozen --no-emit-project --only-group setup -o requirements/setup.txt

proofs: .venv/.test
	$(SUITE) -m proof --timeout 3600 tests

soak: .venv/.test .cache/.names
	$(BIN)/python -m pytest -m soak --timeout 3600 tests

references:
	@command -v Rscript >/dev/null || { echo "Rscript is missing; on Debian: sudo apt install r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-nlme r-cran-glmmtmb r-cran-ordinal r-cran-emmeans"; exit 1; }
	for script in tests/reference/*.R; do (cd tests/reference && Rscript $$(basename $$script)) || exit 1; done

bench: .venv/.test .cache/.names
	for script in benchmarks/*.py; do OPENBLAS_NUM_THREADS=1 $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv build
