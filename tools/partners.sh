#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Installs the servers that the lab's federation partners are made of, where that is allowed; says how, where it is not.
# Nothing of them is started or left enabled: the lab runs them by itself. What is missing later is skipped and named,
# so nothing here is an error.
set -euo pipefail
packages=(prosody ejabberd dnsmasq-base lua-unbound libnss-wrapper)
policy=/usr/sbin/policy-rc.d

say() { printf 'partners: %s\n' "$*" >&2; }

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
else
    say "the tests with real XMPP servers need Debian's packages of Prosody and ejabberd; they will be skipped here"
    exit 0
fi
[ "${#missing[@]}" -gt 0 ] || exit 0

command="apt-get install --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "MISSING: ${missing[*]}. The tests with real XMPP servers will be skipped. As root: $command"
    exit 0
fi

log=$(mktemp)
own_policy=
tidy() {
    rm -f "$log"
    if [ -n "$own_policy" ]; then rm -f "$policy"; fi
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Debian asks this before it starts a service that was just installed; 101 forbids it.
if [ ! -e "$policy" ]; then
    own_policy=1
    printf '#!/bin/sh\n# of tools/partners.sh, while it installs\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

# apt COMMAND...
apt() {
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qy -o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@" </dev/null >>"$log" 2>&1
}

say "installing ${missing[*]}"
if ! apt install --no-install-recommends "${missing[@]}" &&
    ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
    say "COULD NOT BE INSTALLED: ${missing[*]}. The tests with real XMPP servers will be skipped. apt-get said:"
    tail -n 5 "$log" >&2
    say "later, as root: $command"
    exit 0
fi
if [ -d /run/systemd/system ]; then
    for package in "${missing[@]}"; do
        case $package in
        prosody | ejabberd) systemctl disable --now --quiet "$package.service" >/dev/null 2>&1 || true ;;
        esac
    done
fi
