# `make report` and `make test` are all that a newcomer needs; the first one on a machine sets up the environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   := data/demo
ENV    := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1

.PHONY: report test lint types unit test-pandas3 golden-update lock environment nomenclature lab benchmark-data clean

report: $(READY) $(DEMO)/dataset.yml
	$(ENV) $(BIN)/cmi report --as-of 2026-05-31 --notebook forecasting --notebook inventory_policy --out reports/earlier
	$(ENV) $(BIN)/cmi report --as-of 2026-06-28
	@echo "Open $(CURDIR)/reports/latest/index.html"

test: $(READY) lint types unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/environment.py --check
	$(BIN)/python tools/nomenclature.py --check
	$(BIN)/nbstripout --keep-id --verify notebooks/*.ipynb

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(ENV) $(BIN)/python -m pytest -n 2 --dist loadfile -q

# the same tests with pandas 3 laid over the locked environment
test-pandas3: $(READY) .pandas3/.ready
	$(ENV) PYTHONPATH=.pandas3 $(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow and not browser" tests

.pandas3/.ready: requirements.lock tools/pandas3.txt
	rm -rf .pandas3
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --target .pandas3 -r tools/pandas3.txt
	touch $@

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed; call make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python tools/environment.py --versions
	touch $@

$(DEMO)/dataset.yml: | $(READY)
	$(BIN)/cmi demo --out $(DEMO) --size small --seed 1

lab: $(READY)
	$(BIN)/jupyter lab notebooks

lock:
	$(BIN)/python tools/environment.py --lock

environment:
	$(BIN)/python tools/environment.py --write

nomenclature: $(READY)
	$(BIN)/python tools/nomenclature.py --write

golden-update: $(READY)
	$(ENV) $(BIN)/python -m pytest -q tests/golden --golden-update

benchmark-data: $(READY)
	$(ENV) $(BIN)/python benchmarks/data.py

clean:
	rm -rf $(VENV) .pandas3 state reports/latest reports/earlier reports/runs data
