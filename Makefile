# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# These are the commands of a checkout. Each first updates the environment. You do not need to activate the environment.
#   VENV=DIRECTORY    use this directory instead of .venv (and another one beside it instead of .venv-2.16)
#   PYTHON=PROGRAM    use this interpreter instead of the newest of Python 3.11 to 3.13 on the PATH
#   UNLOCKED=1        install the newest packages instead of the locked packages

SHELL := /bin/bash
export VENV := $(abspath $(or $(VENV),.venv))
export HOME := $(or $(HOME),$(CURDIR)/.cache/home)
export PATH := $(VENV)/bin:$(PATH)
# Keep compiled files, because every run starts dozens of Python processes.
unexport PYTHONDONTWRITEBYTECODE

CHECKS := python -m tools.checks

.PHONY: help env env-all demo test quick nightly lint lint-changed unit integration sanity molecule docs-lint installed matrix what-if test-matrix faults explore bench lab-up lab-down generate docs format lock tarball image release clean

help:  ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

env:  ## create or update the environment (.venv)
	@tools/environment.sh

env-all:
	@tools/environment.sh all

demo:  ## deploy a federation into a new lab: about a minute
	@tools/demo.sh

test: env-all  ## run everything that CI runs
	@tools/packages.sh partners
	@tools/packages.sh kerberos
	@$(CHECKS)

quick: env  ## check your work in two minutes: lint changed files, unit tests with fewer examples, ten integration tests
	@$(CHECKS) quick

test-matrix: env  ## test every supported ansible-core that this machine can run; writes a table in the README (CORES="2.18 next")
	@python -m tools.matrix $(CORES)

nightly: env  ## test every combination; other checks test samples; takes hours
	@tools/packages.sh partners
	@$(CHECKS) nightly molecule

lint: env  ## run ruff, mypy, yamllint, shellcheck, ansible-lint; check the changelog, licences and CI files
	@$(CHECKS) lint

lint-changed: env  ## lint the files that differ from the main branch; pre-commit also runs this
	@$(CHECKS) quick-lint

unit: env  ## run the unit tests on the main ansible-core
	@$(CHECKS) unit

integration: env-all  ## test the collection against the lab, over the wire
	@$(CHECKS) integration

sanity: env  ## run ansible-test sanity
	@$(CHECKS) sanity

molecule: env  ## run every Molecule scenario (two at a time)
	@$(CHECKS) molecule

docs-lint: env  ## check the documentation of plugins, roles and guides
	@$(CHECKS) docs-lint

installed: env-all  ## build, install, and converge from the installed copy, on both ansible-cores
	@$(CHECKS) installed installed-2.16

matrix: env  ## test every row of the negotiation matrix with real XMPP servers (writes the page of the docs)
	@tools/packages.sh partners
	@python -m lab matrix --write docs/docsite/rst/lab_matrix.rst

what-if: env  ## test every event of the what-if table with real XMPP servers, about twenty minutes (writes the page of the docs)
	@tools/packages.sh partners
	@python -m tools.what_if

faults: env  ## test every fault at every message of a run, an hour or more (writes the page of the docs; FAULTS="--most 5")
	@python -m tests.faults --write docs/docsite/rst/faults.rst $(FAULTS)

explore: env  ## test every schedule of two runs, ten minutes (writes the page of the docs; EXPLORE="--replay 'LINE'" replays one)
	@python -m tests.explore $(or $(EXPLORE),--write docs/docsite/rst/schedules.rst)

bench: env  ## run benchmarks against the lab, half an hour (BENCH="--quick", "--full", "--help")
	@python -m tests.benchmarks $(BENCH)

lab-up: env  ## start the lab (state in .lab/, inventory in inventories/lab)
	@python -m lab up

lab-down:  ## stop the lab
	@if [ -x "$(VENV)/bin/python" ]; then python -m lab down; fi

generate: env  ## write all generated files: schemas of the variables, pages of the docs, parameters of roles
	@python -m tools.settings_schema
	@python -m tools.playbook_pages
	@python -m tools.role_files
	@python -m tools.schema_pages
	@python -m tools.finding_codes
	@python -m tools.assumptions_page

docs: env  ## build the documentation as a web site, in build/docs
	@tools/docs.sh

format: env  ## sort imports and format
	@ruff check --quiet --fix-only --select I . ; ruff format .

lock: env  ## update the locked requirement files; valid pins stay
	@tools/lock.sh

tarball: env  ## build the archive of the collection, its list of parts (CycloneDX) and checksums, in build/release
	@tools/tarball.sh

image: env  ## check the execution environment; builds the image if a container engine runs
	@tools/execution_environment.sh

release: env-all  ## make a release (VERSION=1.2.3): version, changelog, checks, tarball, tag; publishes nothing
	@tools/release.sh "$(VERSION)"

clean: lab-down  ## remove all generated files
	@rm -rf .venv .venv-2.* .venv-next .ansible .cache .hypothesis .lab .pytest_cache build tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
