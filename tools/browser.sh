#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Test the HTML page of an audit in a real browser. Install Debian's Chromium if this is allowed. Without a browser,
# print a message and exit with 77, which tools/checks.py counts as skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'browser: %s\n' "$*" >&2; }

find_browser() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null; }

# apt COMMAND...
apt() {
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qy -o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@" </dev/null >/dev/null 2>&1
}

install=(install --no-install-recommends chromium fonts-dejavu-core)
if ! find_browser && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing chromium"
    apt "${install[@]}" || { apt update && apt "${install[@]}"; } || say "chromium could not be installed"
fi
if ! find_browser; then
    say "SKIPPED: Chromium is not installed, so audit.html was not tested in a browser. As root, run: apt-get ${install[*]}"
    exit 77
fi
exec python -m pytest --color=no -q tests/browser "$@"
