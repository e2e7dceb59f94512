# `make help` says what each target does.
STACK ?= dev
FORMAT ?=
RESOLVER ?=
YES ?=
BASE ?= origin/main
IMAGES ?=
REGISTRY ?=
TAG ?=
PEOPLE ?= 200
RUNNING ?= 1000
SHELL := /bin/bash
PYTHON := .venv/bin/python

# The passphrases of the two committed stacks are published: the rack's, and, for its preview alone, the example's.
ifeq ($(STACK),dev)
# Whatever passphrase its user keeps for other stacks.
unexport PULUMI_CONFIG_PASSPHRASE_FILE
export PULUMI_CONFIG_PASSPHRASE := henhouse-lab
else ifeq ($(STACK) $(MAKECMDGOALS) $(origin PULUMI_CONFIG_PASSPHRASE_FILE),prod preview undefined)
export PULUMI_CONFIG_PASSPHRASE ?= henhouse-example
endif
# Every other stack brings its own; said before the engine is started.
PASSPHRASE := $(PYTHON) -m stacks.passphrase $(STACK)
# A target starts many interpreters: each would compile all of the project's modules again.
unexport PYTHONDONTWRITEBYTECODE
# Mostly waiting for machines, several roles of which wait for one another.
export PULUMI_PARALLEL ?= 32

# The engine, with the lab's own plugins where the official ones are not installed (docs/architecture.md, the engine).
# The dev stack's state lives and goes with the rack, wherever other stacks keep theirs.
ENGINE := $(PYTHON) -m engine $(if $(filter dev,$(STACK)),--rack dev) exec --
# The dev stack's machines are in the rack's network; every other stack's are reached from here.
INSIDE := $(PYTHON) -m engine $(if $(filter dev,$(STACK)),--rack dev --inside) exec --
PULUMI := $(INSIDE) pulumi --non-interactive
# Through the jump, where the stack has one (docs/access.md).
THROUGH := $(INSIDE) $(PYTHON) -m ops tunnel --stack $(STACK) --
OPS := $(INSIDE) $(PYTHON) -m ops

.PHONY: help setup up down leaks preview review drift repair dns shell lint format docs check test official acceptance drill chaos bench bench-hub images screenshots

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## .venv from uv.lock
	@scripts/setup.sh

up: setup ## build the virtual rack and bring the dev stack up on it
	@# When make is killed, what it started is interrupted, and gives the locks back.
	@setpriv --pdeathsig=INT -- $(PYTHON) -m quickstart --stack $(STACK)

down: setup ## take the virtual rack away: processes, namespaces, mounts, control groups, links, disks
	@$(PYTHON) -m lab down

leaks: setup ## list what is left of the virtual rack on this computer; fail if there is anything
	@$(PYTHON) -m lab leaks

preview: export PULUMI_K8S_CLIENT_TIMEOUT ?= 3
preview: setup ## STACK=prod: what `pulumi up` would do; opens no connection to a machine
	@$(PASSPHRASE)
	@$(ENGINE) pulumi --non-interactive stack select --create $(STACK)
	@$(ENGINE) pulumi --non-interactive preview --stack $(STACK)

review: setup ## STACK=prod BASE=origin/main: which resources the working tree changes, without the stack's secrets
	@$(ENGINE) $(PYTHON) -m ops review --stack $(STACK) --base $(BASE) $(FORMAT)

drift: setup ## STACK=dev: show drift on the machines and in the cluster
	@$(PASSPHRASE)
	@$(OPS) drift --stack $(STACK) $(FORMAT)

repair: setup ## STACK=dev: put right what drift names, and nothing else; asks before it changes a real stack (YES=1: does not)
	@$(PASSPHRASE)
	@$(OPS) repair --stack $(STACK) $(if $(YES),--yes) $(FORMAT)

dns: setup ## STACK=prod RESOLVER=address[:port]: whether a name server answers what the stack's records say
	@$(ENGINE) $(PYTHON) -m ops dns --stack $(STACK) $(if $(RESOLVER),--resolver $(RESOLVER)) $(FORMAT)

reap: setup ## STACK=dev: which old tags of the image menu's repository would go (DELETE=1: delete them)
	@$(PASSPHRASE)
	@$(OPS) reap --stack $(STACK) $(if $(DELETE),--delete) $(FORMAT)

shell: setup ## STACK=dev: a shell in which `pulumi` works on the stack and reaches its machines
	@$(PASSPHRASE)
	@$(PULUMI) stack select --create $(STACK)
	@$(THROUGH) bash

lint: setup ## ruff, mypy --strict, shellcheck
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/mypy --config-file programs/mypy.ini programs/zpool programs/homes programs/certificates
	@for fragment in programs/hub/*.py programs/hub/config.d/*.py programs/hub/logins/*.py programs/hub/menu/*.py programs/hub/images/*.py programs/hub/inside/*.py; do .venv/bin/mypy --config-file programs/mypy.ini --no-error-summary $$fragment || exit; done
	@git ls-files -z '*.sh' .ci/run | xargs -0 .venv/bin/shellcheck --shell=bash

format: setup ## lay out the code
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

docs: setup ## docs/settings.md and its schema, from the models; docs/hub-parity.md, from its table
	@$(PYTHON) -m stacks.schema
	@$(PYTHON) -m stacks.parity

check: setup ## everything pure, at every save: no root, no engine, no machine, no network
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check .
	@$(PYTHON) -m pytest -m "not programs and not engine and not hosts and not official and not rack and not drill and not chaos" --numprocesses 2 --dist loadgroup --quiet --durations=0 --durations-min=5

test: setup ## all that needs no machines, the real engine, and a short pass on real hosts
	@# Before anything runs: the tests are three at a time, and each builds what it is the first to need. Three are for
	@# two cores: they wait for half of their time, for programs to come up and for times to pass.
	@$(PYTHON) -m lab packages
	@$(PYTHON) -m pytest -m "not official and not rack and not drill and not chaos" --numprocesses 3 --dist loadfile

images: setup ## images of user servers: built, a cell run in each kernel, their sizes (REGISTRY=host/path TAG=w202648: pushed)
	@$(PYTHON) -m images $(IMAGES) $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG)) $(FORMAT)

screenshots: setup ## docs/screenshots, from the tests that look at the hub's pages in a browser
	@$(PYTHON) -m pytest tests/browser --screenshots docs/screenshots

official: setup ## one machine, slowly: without mirrors among stand-ins of the official hosts; interfaces taken back
	@$(PYTHON) -m pytest -m official

acceptance: setup ## the whole virtual rack, end to end
	@$(PYTHON) -m pytest -m rack

drill: setup ## `make up` cut short at every kind of place and repeated; drift while an update runs and after one was killed
	@$(PYTHON) -m pytest -m drill -s

chaos: setup ## on the rack, hours: what a site lives through, such as a machine reinstalled, a node drained, reboots with intruders
	@$(PYTHON) -m pytest -m chaos -s

bench: setup ## how long things take, beside a peer; builds the rack from nothing
	@$(PYTHON) -m tests.bench $(FORMAT)

bench-hub: setup ## PEOPLE=200 RUNNING=1000: people who log in to the real hub and get simulated servers; what is busy first
	@$(PYTHON) -m tests.bench.hub --people $(PEOPLE) --running $(RUNNING) $(FORMAT)
