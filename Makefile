# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The commands of a checkout. Each brings the environment up to date first; nothing needs to be activated.
#   VENV=DIRECTORY    another place than .venv (and .venv-2.16 beside it)
#   PYTHON=PROGRAM    another interpreter than the newest of Python 3.11 to 3.13 on the PATH
#   UNLOCKED=1        the newest packages instead of the locked ones

SHELL := /bin/bash
export VENV := $(abspath $(or $(VENV),.venv))
export HOME := $(or $(HOME),$(CURDIR)/.cache/home)
export PATH := $(VENV)/bin:$(PATH)
# Compiled once and kept: dozens of Python processes start in every run.
unexport PYTHONDONTWRITEBYTECODE

CHECKS := python -m tools.checks

.PHONY: help env env-all demo test quick nightly lint lint-changed unit integration sanity molecule docs-lint installed matrix what-if test-matrix faults explore bench lab-up lab-down generate docs format lock tarball image release clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

env:  ## the environment alone (.venv)
	@tools/environment.sh

env-all:
	@tools/environment.sh all

demo:  ## a federation deployed into the lab, from nothing: about a minute
	@tools/demo.sh

test: env-all  ## everything that CI runs
	@tools/packages.sh partners
	@tools/packages.sh kerberos
	@$(CHECKS)

quick: env  ## two minutes while you work: lint of what changed, unit tests with fewer examples, ten integration tests
	@$(CHECKS) quick

test-matrix: env  ## every supported ansible-core that a Python of this machine runs; a table in the README (CORES="2.18 next")
	@python -m tools.matrix $(CORES)

nightly: env  ## every combination of which the other checks take samples; hours
	@tools/packages.sh partners
	@$(CHECKS) nightly molecule

lint: env  ## ruff, mypy, yamllint, shellcheck, ansible-lint, changelog, licences, CI files
	@$(CHECKS) lint

lint-changed: env  ## the same for what differs from the main branch; pre-commit runs it too
	@$(CHECKS) quick-lint

unit: env  ## unit tests on the main ansible-core
	@$(CHECKS) unit

integration: env-all  ## the collection against the lab, over the wire
	@$(CHECKS) integration

sanity: env  ## ansible-test sanity
	@$(CHECKS) sanity

molecule: env  ## every Molecule scenario (two at a time)
	@$(CHECKS) molecule

docs-lint: env  ## the documentation of plugins, roles and guides
	@$(CHECKS) docs-lint

installed: env-all  ## build, install, and converge from the installed copy, on both ansible-cores
	@$(CHECKS) installed installed-2.16

matrix: env  ## every row of the negotiation matrix with real partners (writes the page of the docs)
	@tools/packages.sh partners
	@python -m lab matrix --write docs/docsite/rst/lab_matrix.rst

what-if: env  ## every event of the what-if table with real partners, some twenty minutes (writes the page of the docs)
	@tools/packages.sh partners
	@python -m tools.what_if

faults: env  ## every fault at every message of a run, an hour or more (writes the page of the docs; FAULTS="--most 5")
	@python -m tests.faults --write docs/docsite/rst/faults.rst $(FAULTS)

explore: env  ## every schedule of two runs, ten minutes (writes the page of the docs; EXPLORE="--replay 'LINE'" replays one)
	@python -m tests.explore $(or $(EXPLORE),--write docs/docsite/rst/schedules.rst)

bench: env  ## benchmarks against the lab, half an hour (BENCH="--quick", "--full", "--help")
	@python -m tests.benchmarks $(BENCH)

lab-up: env  ## start the lab (state in .lab/, inventory in inventories/lab)
	@python -m lab up

lab-down:  ## stop the lab
	@if [ -x "$(VENV)/bin/python" ]; then python -m lab down; fi

generate: env  ## what follows from the tables: schemas of the variables, pages of the playbooks, parameters of roles
	@python -m tools.settings_schema
	@python -m tools.playbook_pages
	@python -m tools.role_files
	@python -m tools.schema_pages
	@python -m tools.finding_codes
	@python -m tools.assumptions_page

docs: env  ## the documentation as a web site, in build/docs
	@tools/docs.sh

format: env  ## sort imports and format
	@ruff check --quiet --fix-only --select I . ; ruff format .

lock: env  ## write the locked requirement files anew, keeping the pins that still fit
	@tools/lock.sh

tarball: env  ## the archive of the collection, its list of parts (CycloneDX) and checksums, in build/release
	@tools/tarball.sh

image: env  ## the execution environment: its context, and where a container engine runs the image
	@tools/execution_environment.sh

release: env-all  ## VERSION=1.2.3: version, changelog, checks, tarball, tag; publishes nothing
	@tools/release.sh "$(VERSION)"

clean: lab-down  ## remove everything that can be made again
	@rm -rf .venv .venv-2.* .venv-next .ansible .cache .hypothesis .lab .pytest_cache build tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
