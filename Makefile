# Two commands: `make run` shows the whole system, `make test` runs every test. Both install what is missing.
# PYTHON=/path/to/python3 chooses the Python that .venv is made of; otherwise the first fitting one on PATH.

SHELL := /bin/sh
VENV := .venv/bin
ENTER := $(VENV)/python -m

# The first Python that is new enough and can make a virtual environment; failing that, any, so that config/install.py
# can say what is wrong with it.
FITTING := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
define find_python
python="$(PYTHON)"; \
if [ -z "$$python" ]; then \
  for each in python3.13 python3.12 python3.11 python3 python; do \
    if command -v $$each >/dev/null 2>&1 && $$each -c "$(FITTING)" >/dev/null 2>&1; then python=$$each; break; fi; \
  done; \
fi; \
if [ -z "$$python" ]; then \
  for each in python3.13 python3.12 python3.11 python3 python; do \
    if command -v $$each >/dev/null 2>&1; then python=$$each; break; fi; \
  done; \
fi; \
if [ -z "$$python" ]; then echo "Python is missing: install Python 3.11 or newer." >&2; exit 1; fi
endef

.DEFAULT_GOAL := help
.PHONY: help run reset clock test bench check format lock install install-tests shell

help:
	@echo "make run      the portal with everything it needs, on this machine; Ctrl-C ends it"
	@echo "make reset    forget the demo's data; the next make run starts over"
	@echo "make clock TO=vote   move the demo's time: ideas, assessment, vote, closed, now, +DAYS"
	@echo "make test     every test"
	@echo "make bench    what letters cost, beside a yardstick; takes a quarter of an hour at most"
	@echo "make check    everything that is checked without running tests"
	@echo "make format   put code and templates in their form"
	@echo "make lock     compile requirements/ again after a change in pyproject.toml"
	@echo "make shell    a Django shell on the data of make run"

install:
	@$(find_python); $$python config/install.py run

install-tests:
	@$(find_python); $$python config/install.py test
	@$(ENTER) config.assets --tests
	@$(ENTER) config.browser >/dev/null
	@$(ENTER) config.translations compile

run: install
	@$(ENTER) config.run

reset: install
	@$(ENTER) config.run reset

clock: install
	@$(ENTER) config.run exec python manage.py demo_clock $(TO)

shell: install
	@$(ENTER) config.run exec python manage.py shell

# Tests that kill servers or measure time run alone, after the others.
test: install-tests
	@$(VENV)/pytest --numprocesses auto --dist loadscope --no-loadscope-reorder -m "not faults and not load" $(ARGS)
	@$(VENV)/pytest -m "faults or load" $(ARGS) || [ $$? -eq 5 ]

bench: install-tests
	@$(VENV)/pytest -s -qq -o python_functions='bench_*' tests/bench/bench_mailouts.py $(ARGS)

check: install-tests
	@$(ENTER) config.check

format: install-tests
	@$(VENV)/ruff check --fix --quiet . || true
	@$(VENV)/ruff format --quiet .
	@$(ENTER) config.check format

lock:
	@$(ENTER) config.check lock
