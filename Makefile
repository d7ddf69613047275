# `make demo` and `make test` need Python >= 3.10 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo
WHEELS ?= .venv-contract
OLDEST ?= .venv-oldest
ORACLES ?= .venv-oracles
OLDEST_PYTHON ?= $(shell python3.10 -c 'import sys; print(sys.executable)' 2>/dev/null || echo $(PYTHON))
PYTHON3_12 ?= $(shell python3.12 -c 'import sys; print(sys.executable)' 2>/dev/null || echo $(PYTHON))

# a process for each core, and the tests of one file in one of them, which share what they build
SIDE_BY_SIDE = --numprocesses auto --dist loadfile

.PHONY: bench demo dist docs gpu-proof test test-all test-browser test-hpc test-oldest test-oracles contract mutants lint clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("bsoid_gpu needs Python 3.10 or newer; set PYTHON") if sys.version_info < (3, 10) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready
	$(BIN)/python benchmarks/demo.py $(DEMO)

test: $(VENV)/.ready
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not hpc and not browser"

test-all: $(VENV)/.ready
	$(BIN)/python -m pytest -m "not hpc and not browser"

# the report's page in Chromium; as root it installs Debian's Chromium, and without one the tests are skipped
test-browser: $(VENV)/.ready
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check 'av>=12' 'playwright>=1.40'
	-command -v chromium || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium; }
	$(BIN)/python -m pytest -m browser tests/browser

# on a private Slurm; as root it installs Slurm and a module command, else it skips their tests
test-hpc: $(VENV)/.ready
	$(BIN)/python -m pytest -m hpc tests/hpc

# the lower bounds of pyproject.toml, which have no wheels for Python 3.12 and newer
test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest $(SIDE_BY_SIDE) --hypothesis-profile fewer -m "not slow and not hpc and not browser"

$(OLDEST)/.ready: pyproject.toml tests/oldest.py | $(VENV)/.ready
	$(OLDEST_PYTHON) -c 'import sys; sys.exit("the oldest libraries need Python 3.10 or 3.11; set OLDEST_PYTHON") if sys.version_info[:2] not in ((3, 10), (3, 11)) else 0'
	$(OLDEST_PYTHON) -m venv --clear $(OLDEST)
	$(BIN)/python tests/oldest.py > $(OLDEST)/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(OLDEST)/oldest.txt --editable '.[test]'
	touch $@

# against the libraries of other projects, 2 GB; movement needs Python 3.12 or newer
test-oracles: $(ORACLES)/.ready
	$(ORACLES)/bin/python -m pip freeze | grep -E '^(sleap|movement|pynwb|ndx|pose)[-_a-z]*=='
	$(ORACLES)/bin/python -m pytest -m oracles

$(ORACLES)/.ready: pyproject.toml
	$(PYTHON3_12) -c 'import sys; sys.exit("movement needs Python 3.12 or newer; set PYTHON3_12") if sys.version_info < (3, 12) else 0'
	$(PYTHON3_12) -m venv --clear $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' \
		sleap-io movement pynwb ndx-pose pose-format
	touch $@

# the real wheels of RAPIDS, without a GPU: 6.4 GB
contract: $(WHEELS)/.ready
	$(WHEELS)/bin/python -m pytest tests/contract/test_contract.py tests/contract/wheels.py
	$(WHEELS)/bin/python -m pytest tests/kernels/test_umap_layout_cuda.py -k compiles

$(WHEELS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(WHEELS)
	$(WHEELS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[cuda12,test]'
	touch $@

# on a machine with a card, in the active environment with RAPIDS and the extra `test`, or that of PYTHON
gpu-proof:
	mkdir -p build
	$(PYTHON) -m pytest -m gpu --require-gpu -W default --continue-on-collection-errors; tests=$$?; \
	$(PYTHON) -m bsoid_gpu doctor --proof build/gpu-proof.json; proof=$$?; \
	exit $$((tests || proof))

# the pages and the reference of the Python interface as HTML in build/docs; nothing is fetched while they are built
docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs build/docs

# wheel and sdist in dist/; the demo of the sdist runs from the installed wheel, and its tests find what they read
dist: $(VENV)/.ready
	rm -rf dist build/lib
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	set -e; elsewhere=$$(mktemp -d); trap 'rm -rf "$$elsewhere"' EXIT; unset PYTHONPATH; \
	python=$(abspath $(BIN))/python; \
	$(PYTHON) -m venv $$elsewhere/venv; \
	$$elsewhere/venv/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl; \
	tar --extract --gzip --file dist/*.tar.gz --directory $$elsewhere; \
	cd $$elsewhere/bsoid_gpu-*; \
	$$python -m pytest --quiet -m "not slow" tests/test_documentation.py tests/test_environments.py; \
	cd ..; \
	venv/bin/python bsoid_gpu-*/benchmarks/demo.py demo; \
	venv/bin/python -c 'import bsoid_gpu; print("ran from", bsoid_gpu.__file__)'

# wrong versions of the program, which the tests must notice
mutants: $(VENV)/.ready
	$(BIN)/python tests/mutants.py

# cost against size, with your sessions (SESSIONS=folder FPS=60) or simulated ones
bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	test -n "$(SESSIONS)" || test -d bench-sessions || $(BIN)/bsoid-gpu simulate bench-sessions --sessions 4 --minutes 30
	$(BIN)/python benchmarks/cost_against_size.py $(or $(SESSIONS),bench-sessions) $(or $(FPS),60) benchmarks/results/scale.json

lint: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(OLDEST) $(ORACLES) $(WHEELS) $(DEMO) bench-sessions .pytest_cache .mypy_cache .ruff_cache .hypothesis
