#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The documentation of plugins, roles and guides. antsibull-docs takes the route of an action for a redirect of its module
# and looks for the module's options where the route leads, so that it gets a copy without the routes.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=.cache/docs-lint/ansible_collections/sfb/xmpp
tools/copy.sh "$copy"
sed -i '/^plugin_routing:/,/^[^ ]/d' "$copy/meta/runtime.yml"
cd "$copy"
exec antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs all .
