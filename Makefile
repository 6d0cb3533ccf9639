PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

# ARGS goes to the command behind the target: make test-fast ARGS="-k vary -x"
ARGS ?=

# The tests on all cores: whoever has none left takes some of another.
SHARED = -n logical --dist worksteal

.PHONY: demo test test-fast lint bench matrix clean

demo: $(VENV)/.demo
	$(BIN)/python test_project/manage.py demo $(if $(PORT),--port $(PORT)) $(if $(filter 1,$(TOUR)),--tour) $(ARGS)

test: $(VENV)/.dev
	.ci/system-packages servers
	.ci/system-packages bench
	$(BIN)/python -m pytest $(SHARED) --cov $(ARGS)

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest $(SHARED) -m "not slow" $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m mypy --strict dumper

# ARGS=--quick takes less than a minute.
bench: $(VENV)/.bench
	.ci/system-packages bench
	$(BIN)/python -m test_project.bench $(ARGS)
	$(BIN)/python -m test_project.bench.saves $(filter --readme,$(ARGS))

# Each Python found on this machine with each Django it can run.
matrix:
	.ci/system-packages servers
	.ci/system-packages bench
	.ci/matrix $(ARGS)

clean:
	rm -rf .venv* build dist *.egg-info .coverage* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf test_project/db.sqlite3* test_project/media
	find . -name __pycache__ -prune -exec rm -r {} +

$(BIN)/pip:
	PYTHON=$(PYTHON) .ci/system-packages venv
	$(PYTHON) -m venv --clear $(VENV)

# The demo needs little, so that its first start is quick.
$(VENV)/.demo: setup.cfg setup.py | $(BIN)/pip
	$(BIN)/pip install -q -e . pillow
	touch $@

$(VENV)/.dev: setup.cfg setup.py requirements-dev.txt | $(BIN)/pip
	$(BIN)/pip install -q -r requirements-dev.txt
	touch $(VENV)/.demo $@

$(VENV)/.bench: requirements-bench.txt | $(VENV)/.dev
	$(BIN)/pip install -q -r requirements-bench.txt
	touch $@
