# The commands of this project; `make help` lists them. Works with GNU make 3.81, which macOS has.

ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# The Python packages of the project; the rest of the tree is no code of ours, or none at all.
PACKAGES := smartcourse accounts courses enrollments progress certificates notifications analytics

# Images forbid Python to keep what it compiled, to stay small. What runs here is many processes of the same code, and
# each would compile all of it anew, which takes longer than its start.
unexport PYTHONDONTWRITEBYTECODE

# The interpreter of the environment; without a word, the first of these names that is 3.11 or newer.
PYTHON ?= python3.13 python3.12 python3.11 python3

# $(call install,LOCKFILE,COPIES): bring the environment to a lock file, if it is not there yet. A copy of the lock
# inside the environment, written last, says what is installed; so a broken-off or outdated install is done again.
# A version manager may own a name that it refuses to run, so each is asked.
# --no-deps: a lock names everything, pip need not resolve. --no-compile: Python compiles what it imports, a fraction
# of what is installed.
define install
	@if cmp -s $(1) $(VENV)/$(1) && $(BIN)/python -c ''; then exit 0; fi; set -e; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		for name in $(PYTHON) ""; do \
			"$$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; \
		done; \
		if [ -z "$$name" ]; then \
			echo "No Python 3.11 or newer with venv and ensurepip was found (Debian, Ubuntu: apt install python3-venv)." >&2; \
			echo "Another one can be named: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
		fi; \
		echo "Creating $(VENV) with $$name"; "$$name" -m venv --clear $(VENV); \
	fi; \
	echo "Installing $(1)"; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-compile --no-deps \
		--require-hashes -r $(1); \
	for copy in $(2); do cp $$copy $(VENV)/$$copy; done
endef

.PHONY: help run test faults faults-five fuzz clients lint format lock install install-dev

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install ## start everything with demo content: make run ARGS="--port 8100"
	@exec $(BIN)/python manage.py quickstart $(ARGS)

test: install-dev ## run the tests: make test ARGS="courses -k publish"
	@exec $(BIN)/python -m pytest $(ARGS)

faults: install-dev ## what the product must withstand, at length: make faults ARGS="-k f08" (20 minutes, RabbitMQ)
	@exec env FAULTS=full $(BIN)/python -m pytest -n 3 --no-loadscope-reorder -m "faults or full" $(ARGS)

faults-five: install-dev ## the same five times in a row, with a table at the end: make faults-five ARGS="-k f13"
	@exec $(BIN)/python -m smartcourse.tests.faults.again --times 5 $(ARGS)

fuzz: install-dev ## try every operation of the API as every role, with schemathesis: make fuzz ARGS="--quick" (20 minutes)
	@exec $(BIN)/python -m smartcourse.tests.fuzz $(ARGS)

# Nothing that is generated is committed: node_modules from package-lock.json, the rest from the API's schema.
clients: install-dev ## lint the API's schema, generate a TypeScript and a Python client, and run both (needs Node 20)
	@cmp -s $(TYPESCRIPT)/package-lock.json $(TYPESCRIPT)/node_modules/installed.json || \
		(cd $(TYPESCRIPT) && npm ci --ignore-scripts && cp package-lock.json node_modules/installed.json)
	rm -rf $(TYPESCRIPT)/generated $(PYTHON_CLIENT)/generated
	mkdir $(TYPESCRIPT)/generated $(PYTHON_CLIENT)/generated
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(TYPESCRIPT)/generated/schema.yaml
	$(BIN)/python -m smartcourse.tests.clients.guide
	cd $(TYPESCRIPT) && npm run --silent lint
	cd $(TYPESCRIPT) && npm run --silent generate && npm run --silent compile
	$(BIN)/openapi-python-client generate --path $(TYPESCRIPT)/generated/schema.yaml --meta none --fail-on-warning \
		--config $(PYTHON_CLIENT)/client.yaml --output-path $(PYTHON_CLIENT)/generated/smartcourse_client
	cd $(PYTHON_CLIENT) && MYPYPATH=.:generated ../../../../$(BIN)/mypy --config-file mypy.ini -m journey -m guide -p smartcourse_client
	@exec $(BIN)/python -m smartcourse.tests.clients
TYPESCRIPT := smartcourse/tests/clients/typescript
PYTHON_CLIENT := smartcourse/tests/clients/python

install: ## set up .venv from requirements.lock
	$(call install,requirements.lock,requirements.lock)

install-dev: ## set up .venv from requirements-dev.lock, which holds the other one
	$(call install,requirements-dev.lock,requirements.lock requirements-dev.lock)

lint: install-dev ## check form, types, order of imports, templates, migrations and the API's schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) manage.py
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --check --lint --quiet templates $(PACKAGES)
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

format: install-dev ## put code and templates in form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet templates $(PACKAGES)

# The dev lock is held to the runtime's versions. uv reads no pip.conf: an index other than the public one is handed
# on by its own environment variables (UV_DEFAULT_INDEX), and no address ends up in the files.
lock: install-dev ## renew the lock files: exact versions, hashes for every platform, no addresses
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --extra dev --constraints requirements.lock \
		--output-file requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK_OPTIONS) --extra kafka --constraints requirements-dev.lock \
		--output-file requirements-kafka.lock pyproject.toml
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
