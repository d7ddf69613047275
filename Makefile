# `make demo` and `make test` need Python >= 3.10 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo
WHEELS ?= .venv-contract

.PHONY: demo test test-all contract lint clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("bsoid_gpu needs Python 3.10 or newer; set PYTHON") if sys.version_info < (3, 10) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready
	$(BIN)/python benchmarks/demo.py $(DEMO)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -m "not slow"

test-all: $(VENV)/.ready
	$(BIN)/python -m pytest

# the real wheels of RAPIDS, without a GPU: 6.4 GB
contract: $(WHEELS)/.ready
	$(WHEELS)/bin/python -m pytest tests/contract/test_contract.py tests/contract/wheels.py

$(WHEELS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(WHEELS)
	$(WHEELS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[cuda12,test]'
	touch $@

lint: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(WHEELS) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis
