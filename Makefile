PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

# ARGS goes to the command behind the target: make test-fast ARGS="-k vary -x"
ARGS ?=

.PHONY: demo test test-fast lint bench matrix clean

demo: $(VENV)/.demo
	$(BIN)/python test_project/manage.py demo $(if $(PORT),--port $(PORT)) $(if $(filter 1,$(TOUR)),--tour) $(ARGS)

test: $(VENV)/.dev
	.ci/system-packages servers
	$(BIN)/python -m pytest --cov $(ARGS)

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m mypy --strict dumper

bench: $(VENV)/.dev
	$(BIN)/python -m test_project.bench $(ARGS)
	$(BIN)/python -m test_project.bench.saves $(filter --readme,$(ARGS))

# Each Python found on this machine with each Django it can run.
matrix:
	.ci/system-packages servers
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
