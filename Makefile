PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup demo run test check check-types check-rules check-behaviour browser ready fix words bench chaos lock

# A run of the tests starts Python by the dozen: what one process has compiled is kept for the others.
unexport PYTHONDONTWRITEBYTECODE

setup: .venv/.ready

# uv installs in seconds; where only pip is configured to reach packages, pip does it.
.venv/.ready: requirements-dev.txt requirements-uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || { echo "Creating .venv"; $(PYTHON) -m venv .venv; }
	@echo "Installing packages"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync -q --system-certs --python $(BIN)/python --require-hashes requirements-dev.txt 2>/dev/null \
		|| { echo "uv cannot install here, so pip does (a minute)"; \
			$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt; }
	@touch $@

demo: setup
	@$(BIN)/python -m config.demo

run: setup
	@$(BIN)/python -m config.run

# What fails within seconds goes first, beside what the tests would do once each. The types then
# keep one core busy while the tests begin.
FIRST := check-rules browser ready
test: setup
	@$(MAKE) --no-print-directory -j 2 BEFORE="$(FIRST)" $(FIRST) check-types check-behaviour

# Side by side, as the types take longer than all the rest.
check: setup
	@$(MAKE) --no-print-directory -j 2 check-types check-rules

check-types: setup
	@$(BIN)/mypy .

check-rules: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m config.embedded -- $(BIN)/python manage.py makemigrations --check --dry-run

# One worker more than the cores of a small machine: each waits at times, for a page or a process. And
# none takes several tests ahead, of which the last are long.
check-behaviour: setup $(BEFORE)
	@$(BIN)/pytest -n 3 --maxschedchunk 1

browser: setup
	@$(BIN)/python -m tests.chromium

# Compiles the tests, and keeps what comes of migrating.
ready: setup
	@$(BIN)/python -m config.embedded -- $(BIN)/python -m tests.database
	@found=$$($(BIN)/pytest -qq --collect-only 2>&1) || { echo "$$found"; exit 1; }

fix: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

words: setup
	@$(BIN)/python -m config.words

bench: setup
	@$(BIN)/python -m benchmarks $(ONLY)

chaos: setup
	@$(BIN)/python -m tests.chaos

lock: setup
	@for extra in "requirements.txt" "requirements-dev.txt --extra embedded --extra test --extra lint -c requirements.txt"; do \
		$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml -o $$extra; done
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-annotate --no-header --python-version 3.11 benchmarks/peers.in -o requirements-bench.txt
