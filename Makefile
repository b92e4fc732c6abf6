# Two commands on a fresh machine:  make run  and  make test.  Nothing here needs root; with root, make test may
# install Chromium, ffmpeg and flite, which browser, file and speech tests use and skip without.
PYTHON ?= python3
VENV := .venv
# EXTRAS=test,neural,tts also tests language models and voices on this machine, which need torch.
EXTRAS ?= test
# How many tests run at once, whole files each.
JOBS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Finds faces; without its own dependencies, see pyproject.toml.
MEDIAPIPE := mediapipe==0.10.14

.PHONY: run setup test lint format clean

run: setup
	$(BIN)/anchor serve

setup: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(PIP) -e .
	@$(PIP) --no-deps $(MEDIAPIPE) || echo "MediaPipe is not to be had here: all works but making avatars"
	@touch $@

$(VENV)/.testing: pyproject.toml | $(VENV)/bin/python
	$(PIP) -e '.[$(EXTRAS)]'
	@$(PIP) --no-deps $(MEDIAPIPE) || echo "MediaPipe is not to be had here: all works but making avatars"
	@touch $@ $(VENV)/.installed

test: $(VENV)/.testing
	@sh tools/test_programs.sh
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: $(VENV)/.testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.testing
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
