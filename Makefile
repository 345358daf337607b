# Two commands do everything on a fresh machine: `make demo` and `make test`. Each makes what it needs in .venv.

VENV   ?= .venv
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11 python,$(shell \
            $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
BIN    := $(VENV)/bin
PYTEST_ARGS ?= --numprocesses=logical --maxprocesses=4
# Each test process keeps to one thread, as there are several of them, and takes few tests at a time: the slow ones, which
# come first, are shared out. Compiled files are kept: tests start some hundred processes of Python.
PYTEST := env OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --maxschedchunk=16

.PHONY: demo test quick coverage check docs notebooks matrix bench bench-peers clean

demo: $(VENV)/.demo  ## train on real digits, print the result, write pictures to out/
	$(BIN)/python -m nn.demo

test: $(VENV)/.test  ## run the whole suite
	$(PYTEST) $(PYTEST_ARGS)

quick: $(VENV)/.test  ## under a minute: one row in forty of each table, nothing slow; NAME=softmax: all tests of that name
ifdef NAME
	$(PYTEST) tests/autograd tests/nn -k "$(NAME)" -m "not slow"
else
	CHAINRULE_SAMPLE=40 $(PYTEST) --numprocesses=2 --ignore=tests/nn/systems -m "not slow and not browser and not torch and not mpi"
endif

coverage: $(VENV)/.test  ## the suite again, and which branches of the engine it reaches
	$(PYTEST) $(PYTEST_ARGS) --cov=autograd --cov-branch --cov-report=term

check: $(VENV)/.dev  ## lint, format, types, links between pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -q tests/test_docs.py -k links

matrix:  ## wheel, sdist, demo and the engine's tests with the oldest and the newest NumPy, and with NumPy alone
	PYTHON="$(PYTHON)" .ci/matrix

docs: $(VENV)/.docs  ## the manual in build/docs: open index.html; a warning or a dead link is an error
	$(BIN)/python docs/site/build.py

notebooks: $(VENV)/.test  ## run the notebooks and store what they show
	$(BIN)/python notebooks/refresh.py

bench: $(VENV)/.demo  ## this project against hand-written NumPy
	$(BIN)/python -m benchmarks

bench-peers: $(VENV)/.demo  ## the same beside PyTorch, JAX, HIPS autograd, MyGrad and micrograd
	$(BIN)/python -m benchmarks --all-peers --threads 1 2 --output benchmarks/RESULTS.md

clean:
	rm -rf $(VENV) .bench .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist htmlcov out
	find autograd nn tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "chainrule needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make an environment. On Debian and Ubuntu: apt install python3-venv. Or: make PYTHON=/path/to/python3"; exit 1; }

$(VENV)/.demo $(VENV)/.test $(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS_$*)]'
	@touch $@

EXTRAS_demo := progress
EXTRAS_test := test
EXTRAS_dev  := dev
EXTRAS_docs := docs
