# Trailhook: every command a developer needs. `make help` lists them.

PYTHON ?= python3
BENCH_EVENTS ?= 30000
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
SCAN_VENV := .venv-scan
FUZZ_VENV := .venv-fuzz
FUZZ_SECONDS ?= 300
UV_VENV := .venv-uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo serve check test coverage nightly lambda-image test-containers verify-aws chaos fuzz bench scan lock clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

demo: $(VENV)/.ready ## Run the main job on this machine: signed webhooks in, CloudTrail Lake rows out, every event accounted for
	@$(BIN)/trailhook demo

serve: $(VENV)/.ready ## Keep the local stack up, to POST to with curl or `.venv/bin/trailhook send`
	@$(BIN)/trailhook serve

check: $(VENV)/.ready ## Linters, types and the pure tests (four minutes of processor time, so two on two idle cores)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	TRAILHOOK_SEARCH=quick $(BIN)/pytest -q -n 2 -m "not stack and not build"

test: $(VENV)/.ready $(SAM_VENV)/.ready ## What CI runs, but for containers: check, the local stack, `sam validate` and `sam build` (ten minutes on two slow cores)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

coverage: $(VENV)/.ready ## Which lines and branches of the product no test runs; without `sam build`, and slow, as each line is traced
	$(BIN)/pytest -n 2 --cov --cov-report=term -m "not build"

nightly: $(VENV)/.ready ## The pure tests, searching widely: every mutation of every sample, thousands of examples
	TRAILHOOK_SEARCH=nightly $(BIN)/pytest -n 2 --timeout 7200 -m "not stack and not build"

lambda-image: ## Get Lambda's Python image, and a Docker engine where there is none (pulled, or built by root on Debian)
	@tests/containers/prepare.sh

test-containers: $(VENV)/.ready $(SAM_VENV)/.ready ## The built functions in Lambda's container, with `sam local invoke` (needs Docker)
	$(BIN)/python tests/containers/invoke.py

verify-aws: $(VENV)/.ready ## Ask AWS what nobody could verify yet; says what it makes and asks first (needs an account; STACK=…)
	@$(BIN)/python -m verify $(if $(STACK),--stack $(STACK))

chaos: $(VENV)/.ready ## A million events through everything that can fail, then some through the stack while it is killed
	$(BIN)/trailhook chaos --events $(or $(EVENTS),1000000)
	$(BIN)/trailhook chaos --stack --events $(or $(STACK_EVENTS),5000)

fuzz: $(FUZZ_VENV)/.ready ## Coverage-guided fuzzing of receive and the mappings, FUZZ_SECONDS long (300)
	@mkdir -p .fuzz
	$(FUZZ_VENV)/bin/python fuzz/receive.py .fuzz/corpus -artifact_prefix=.fuzz/ -max_len=16384 \
		-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

bench: $(VENV)/.ready ## Forward, receive, cold starts and cost, each beside an anchor of the same run (BENCH_EVENTS=1000000 for the full scale)
	$(BIN)/python -m benchmarks.forward
	$(BIN)/python -m benchmarks.forms
	$(BIN)/python -m benchmarks.receive
	$(BIN)/python -m benchmarks.scaling --events $(BENCH_EVENTS)
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.capacity

scan: $(SCAN_VENV)/.ready ## Security scanners over the template (checkov, cfn-lint)
	$(SCAN_VENV)/bin/cfn-lint template.yaml
	$(SCAN_VENV)/bin/checkov --quiet --compact --skip-download --framework cloudformation --file template.yaml

lock: $(UV_VENV)/.ready ## Resolve the requirements files anew
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--extra local --group dev pyproject.toml -o requirements/dev.txt
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.13 \
		pyproject.toml -o layers/trailhook/requirements.txt
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--group sam -o requirements/sam.txt
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--group scan -o requirements/scan.txt
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--group fuzz pyproject.toml -o requirements/fuzz.txt
	$(UV_VENV)/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--group uv -o requirements/uv.txt

clean: ## Remove what the other commands made
	rm -rf $(VENV) $(SAM_VENV) $(SCAN_VENV) $(FUZZ_VENV) $(UV_VENV) .aws-sam .trailhook .fuzz

$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Trailhook needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@echo "Setting up $(VENV) (once, about half a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(SAM_VENV)/.ready $(SCAN_VENV)/.ready $(UV_VENV)/.ready: .venv-%/.ready: requirements/%.txt
	@echo "Setting up .venv-$*: what it brings along stays in an environment of its own (once, about a minute)"
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/pip install -q --no-deps --require-hashes -r $<
	@touch $@

$(FUZZ_VENV)/.ready: requirements/fuzz.txt
	@echo "Setting up $(FUZZ_VENV): the fuzzer is for an afternoon, not for every test (once)"
	@$(PYTHON) -m venv $(FUZZ_VENV)
	@$(FUZZ_VENV)/bin/pip install -q --no-deps --require-hashes -r requirements/fuzz.txt
	@$(FUZZ_VENV)/bin/pip install -q --no-deps --no-build-isolation -e .
	@touch $@
