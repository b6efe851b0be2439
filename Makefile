# Everything a person or a machine does with this project. `make help` lists it.

PYTHON ?= python3
UV ?= uv
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
ARGS ?=
WORKERS ?= 2

# HOST, PORT, DATABASE_URL and the other settings of docs/deploy.md reach the server as they are: make passes on its environment
# and what is set on its command line.

.DEFAULT_GOAL := help
.PHONY: help demo run test check format bench pictures lock clean
.DELETE_ON_ERROR:

help: ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Settings: HOST=127.0.0.1 PORT=8000 PYTHON=python3; more in docs/deploy.md"

demo: $(VENV)/runtime.stamp ## Serve an invented clinic (kept in instance/demo.sqlite3)
	@$(RUN) -m flask --app wsgi serve --demo

run: $(VENV)/runtime.stamp ## Serve your own clinic (kept in instance/clinic.sqlite3, or DATABASE_URL)
	@$(RUN) -m flask --app wsgi serve

test: $(VENV)/dev.stamp ## Run every test, on SQLite, on PostgreSQL and in a browser (ARGS="-k name" for some)
	@$(RUN) -m tests.support.browser_setup
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/dev.stamp ## Check format, lint, types, arrows between rooms, templates and migrations
	@echo "Format ...";     $(RUN) -m ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
	@echo "Lint ...";       $(RUN) -m ruff check --quiet .
	@echo "Types ...";      $(RUN) -m mypy --no-error-summary
	@echo "Arrows ...";     $(VENV)/bin/lint-imports --no-logo > $(VENV)/arrows.txt || { cat $(VENV)/arrows.txt; exit 1; }
	@echo "Templates ...";  $(RUN) -m djlint --lint --quiet templates
	@echo "Migrations ..."; $(RUN) -m tests.support.migration_check
	@echo "All is well."

format: $(VENV)/dev.stamp ## Put the code into the project's format
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

bench: $(VENV)/dev.stamp ## Measure the budgets and write docs/benchmarks.md
	@$(RUN) -m bench $(ARGS)

pictures: $(VENV)/dev.stamp ## Take the pictures of the README anew
	@$(RUN) -m tests.support.browser_setup
	@$(RUN) -m tests.support.pictures

lock: ## Write the locked requirements anew (needs uv; ARGS=--upgrade for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: $(PYTHON) -m pip install uv"; exit 1; }
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $(ARGS) requirements.in --output-file requirements.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $(ARGS) requirements-dev.in --output-file requirements-dev.txt

clean: ## Remove .venv and caches; databases in instance/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/made.stamp requirements.txt
	@echo "Installing the packages of requirements.txt into $(VENV) (the first time takes about a minute) ..."
	@$(PIP) --requirement requirements.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/made.stamp requirements-dev.txt requirements.txt
	@echo "Installing the packages of requirements-dev.txt into $(VENV) (the first time takes a few minutes) ..."
	@$(PIP) --requirement requirements-dev.txt
	@touch $(VENV)/runtime.stamp $@
