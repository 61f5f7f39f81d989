# make book    execute every notebook at PROFILE (smoke) and build the site; COMPUTE=1 trains what is not recorded
# make test    unit tests, regression check of the notebooks, the book with warnings as errors, checks on the site
# make accept  execute the notebooks and write their outputs into notebooks/ as the new goldens
# make bench   speed, as ratios (BENCH="steps --only P10": a part; BENCH="run --full": a whole run, minutes)
# make lock    refresh requirements.lock from pyproject.toml
# make clean   remove _build             make distclean   remove _build and .venv

PROFILE ?= smoke
WORKERS ?= 2
COMPUTE ?=
BENCH ?=
# The first interpreter that starts, is 3.11 to 3.13 and can make virtual environments.
PYTHON ?= $(shell for python in python3 python3.12 python3.13 python3.11 python; do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
  >/dev/null 2>&1 && echo $$python && break; done)

ENV := .venv
RUN := $(ENV)/bin/python
STAMP := $(ENV)/complete
UV := 0.13.8

export OMP_NUM_THREADS := 1
.PHONY: book test accept bench lock clean distclean environment

book: $(STAMP)
	$(RUN) -m unforget book --profile $(PROFILE) --workers $(WORKERS) $(if $(filter 1 yes true,$(COMPUTE)),--compute)

# Both halves run even if the first fails, so that one run shows everything.
test: $(STAMP)
	@status=0; \
	$(RUN) -m pytest || status=1; \
	$(RUN) -m unforget check --workers $(WORKERS) || status=1; \
	exit $$status

accept: $(STAMP)
	$(RUN) -m unforget book --accept --workers $(WORKERS)

bench: $(STAMP)
	$(RUN) -m benchmarks $(BENCH)

environment: $(STAMP)

# The stamp is written last: an interrupted installation starts again. setuptools is in the lock, hence no isolation.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 to 3.13 with venv found; install one or call make PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "setting up $(ENV) with $(PYTHON): some minutes and 6 GB the first time"
	rm -rf $(ENV)
	$(PYTHON) -m venv $(ENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

lock:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 to 3.13 with venv found" >&2; exit 2; }
	$(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	_build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf _build .pytest_cache

distclean: clean
	rm -rf $(ENV)
