#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Check the files for GitHub and GitLab: their forms, with the schemas in check-jsonschema, and the safety of the
# workflows. This needs no network. actionlint runs only if it is installed. It is not a requirement, because its
# package on PyPI downloads a program from another site.
set -euo pipefail
cd "$(dirname "$0")/.."
conform() { check-jsonschema --builtin-schema "vendor.$1" "${@:2}"; }
conform github-workflows .github/workflows/*.yml docs/automation/review-plan.yml
conform github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
conform github-issue-config .github/ISSUE_TEMPLATE/config.yml
conform gitlab-ci .gitlab-ci.yml
conform dependabot .github/dependabot.yml
zizmor --offline --no-progress --persona auditor .github docs/automation/review-plan.yml
if command -v actionlint >/dev/null; then actionlint -shellcheck "$(command -v shellcheck)"; fi
