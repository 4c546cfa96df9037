#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Lint the files that differ from the main branch, committed or not. mypy checks all files, because types cross files.
set -euo pipefail
cd "$(dirname "$0")/.."

base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
mapfile -t changed < <({ git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u)

of() { printf '%s\n' "${changed[@]}" | grep -E "$1" || true; }

ruff check . && ruff format --check --quiet .
mapfile -t yaml < <(of '\.ya?ml$')
if ((${#yaml[@]} > 0)); then yamllint --strict "${yaml[@]}"; fi
mapfile -t plays < <(of '^(playbooks|roles)/.*\.yml$')
if ((${#plays[@]} > 0)); then ansible-lint --offline --strict --profile production "${plays[@]}"; fi
mapfile -t shell < <(of '\.sh$')
if ((${#shell[@]} > 0)); then shellcheck --external-sources "${shell[@]}"; fi
tools/typing.sh
