# Two commands are enough: `make retrain` and `make test`. Each does its own set-up, once per lock.
#   make retrain [PRESET=nih-subset] [SOURCE=nih] [FROM=path]
SHELL := /bin/sh
PYTHON ?= python3
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/src:$(CURDIR)
unexport VIRTUAL_ENV

SOURCE ?=
FROM ?=
PRESET ?=
PORT ?= 3000
# Two at a time, each file by one worker, on one core each.
WORKERS ?= -n 2 --dist loadfile --no-loadscope-reorder
PYTEST_ARGUMENTS ?=

.PHONY: help setup retrain test test-full check format serve status lock

help:  ## show these lines
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install exactly what requirements.lock names, when it changed
	@$(PYTHON) setup_environment.py

retrain: setup  ## pull, label, check, train, evaluate, gate, package
	@thorax retrain $(if $(SOURCE),--source "$(SOURCE)") $(if $(FROM),--from "$(FROM)") $(if $(PRESET),--preset "$(PRESET)")

test: setup  ## the whole suite, with the loop end to end in a temporary clone
	@OMP_NUM_THREADS=1 pytest -m "not full" $(WORKERS) $(PYTEST_ARGUMENTS)

test-full: setup  ## the suite, and every stage killed in three ways
	@OMP_NUM_THREADS=1 pytest $(WORKERS) $(PYTEST_ARGUMENTS)

check: setup  ## format, lint, types, architecture
	@ruff format --check .
	@ruff check .
	@mypy
	@pytest -q tests/test_architecture.py tests/test_configs.py

format: setup  ## write the format and the safe lint fixes
	@ruff format .
	@ruff check --fix .

serve: setup  ## the last blessed bento on http://127.0.0.1:3000
	@thorax serve --port $(PORT)

status: setup  ## where everything stands
	@thorax status

lock: setup  ## resolve both locks again from pyproject.toml
	@uv pip compile -q pyproject.toml --group dev --generate-hashes --no-header --python-version 3.11 -o requirements.lock
	@uv pip compile -q --group serving -c requirements.lock --generate-hashes --no-header --python-version 3.11 -o serving/requirements.lock
