# make run       install what the app needs and start it on http://localhost:8501
# make test      lint, types, unit, page and browser tests (what .ci/run does); make test-all adds the slow trainings
# make bench     measure speed, exams and modes
PORT ?= 8501
PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --no-input -q
RUN_READY := .venv/.run-ready
TEST_READY := .venv/.test-ready
# Two processes share the tests; a browser and its server have the cores to themselves.
TWO := -n 2 --dist worksteal

.PHONY: run test test-all lint bench setup clean

run: $(RUN_READY)
	@echo "Open http://localhost:$(PORT) - Ctrl-C stops the app."
	@exec $(PY) -m streamlit run app.py --server.port $(PORT)

test: lint
	CHROMIUM="$$(sh scripts/chromium.sh $(PY))" && export CHROMIUM && \
	$(PY) -m pytest -m "not slow and not e2e" $(TWO) && $(PY) -m pytest -m "not slow and e2e"

test-all: lint
	CHROMIUM="$$(sh scripts/chromium.sh $(PY))" && export CHROMIUM && \
	$(PY) -m pytest -m "not e2e" $(TWO) && $(PY) -m pytest -m e2e

lint: $(TEST_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy -p playground

bench: $(RUN_READY)
	$(PY) -m playground bench

setup: $(TEST_READY)

# torch goes in alone and first: what comes after then finds it there and cannot bring another build of it.
$(RUN_READY): requirements.txt
	@$(PY) -m pip --version >/dev/null 2>&1 || { python="$$(sh scripts/python.sh)" && "$$python" -m venv --clear .venv; }
	@echo "Installing the pinned packages into .venv (once; torch is large)."
	$(PIP) "$$(grep '^torch==' requirements.txt)"
	$(PIP) -r requirements.txt
	@touch $@

$(TEST_READY): $(RUN_READY) requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
