# make demo, make test: the two commands. ARGS passes arguments on: make demo ARGS=--once, make test ARGS="-k match".

PY := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo run env test long e2e fuzz check soak bench clean

help:  ## what there is
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):[^#]*## */  make \1\t/'

setup:  ## virtual environment, dependencies, data folder, migrations
	@./.ci/setup.sh

demo: setup  ## a sample match analysed, and the site with its report; ARGS=--once ends after the table
	@$(PY) manage.py demo $(ARGS)

run: setup  ## the whole system: database, queue, site, workers, scheduler; ARGS="--port 9000 --workers 4"
	@$(PY) manage.py up $(ARGS)

env:  ## .env with passwords at random, for docker compose; one that is there is kept
	@test ! -e .env || { echo ".env is there already"; exit 0; }; umask 077; \
	for name in POSTGRES_PASSWORD VALKEY_PASSWORD S3_SECRET_KEY MEDIAPROC_SECRET_KEY INFERENCE_KEY; do \
		printf '%s=%s\n' "$$name" "$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; \
	done >.env && echo ".env is written"

test: setup  ## all tests but the long ones and those in a browser
	@$(PY) -m pytest -n 3 --dist loadfile --ignore tests/browser -m "not long" $(ARGS)

long: setup  ## the long tests: processes killed, disks full or away, gigabytes; takes minutes
	@$(PY) -m pytest -n 2 --dist loadfile --ignore tests/browser -m long $(ARGS)

e2e: setup  ## the site in Chromium, as people use it; pictures of every page in outputs/screenshots
	@./.ci/browser.sh
	@$(PY) -m pytest -n 2 --dist loadfile tests/browser $(ARGS)

fuzz: setup  ## many generated requests to every operation of the interfaces; takes minutes
	@MEDIAPROC_FUZZ_EXAMPLES=$${MEDIAPROC_FUZZ_EXAMPLES:-300} $(PY) -m pytest -n 2 tests/api/test_fuzz.py $(ARGS)

check: setup  ## style, types, migrations, Django's own checks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check --fail-level WARNING

soak: setup  ## many faults at random moments over several jobs; takes minutes; ARGS="--faults 100 --seed 7"
	@$(PY) -m tests.faults.soak --faults 50 --workers 2 $(ARGS)

bench: setup  ## how good and how fast; takes minutes
	@$(PY) -m bench $(ARGS)

clean:  ## remove what tools left behind; data/ and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	find . -name __pycache__ -not -path './.venv/*' -not -path './data/*' -prune -exec rm -rf {} +
