#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Install Debian packages that tests need. Without root, print the command for their installation:
#   tools/packages.sh partners    the XMPP servers for the lab's federation partners
#   tools/packages.sh kerberos    a KDC, and the requirements to build the Python libraries for Kerberos; builds them
# No service is started or enabled, because the lab starts the programs itself. Without the packages, tests are skipped
# with a message. So a failure here is not an error.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
venv=${VENV:-$top/.venv}
policy=/usr/sbin/policy-rc.d
case ${1:-} in
partners)
    packages=(prosody ejabberd jabberd2 dnsmasq-base lua-unbound libnss-wrapper)
    tests="tests with real XMPP servers"
    ;;
kerberos)
    packages=(krb5-kdc krb5-admin-server krb5-user faketime libkrb5-dev gcc libc6-dev python3-dev)
    tests="tests of Kerberos"
    ;;
*)
    echo "usage: tools/packages.sh partners|kerberos" >&2
    exit 2
    ;;
esac

say() { printf '%s: %s\n' "$group" "$*" >&2; }
group=$1

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The libraries are available only as source. The build takes one or two minutes. uv's cache keeps the result.
libraries() {
    local first
    [ "$group" = kerberos ] || return 0
    "$venv/bin/python" -c 'import gssapi, krb5' 2>/dev/null && return
    say "building the Python libraries of Kerberos"
    install=("$venv/bin/uv" pip install --quiet --require-hashes --python "$venv/bin/python"
        --requirement "$top/requirements/kerberos.txt")
    first=$("${install[@]}" 2>&1) && return
    "${install[@]:0:1}" --system-certs "${install[@]:1}" >&2 && return
    printf '%s\n' "$first" | tail -n 5 >&2
    say "THE BUILD FAILED. The $tests will be skipped"
}

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
else
    say "the $tests need Debian's packages ${packages[*]}. They will be skipped here"
    exit 0
fi
if [ "${#missing[@]}" -eq 0 ]; then
    libraries
    exit 0
fi

command="apt-get install --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "MISSING: ${missing[*]}. The $tests will be skipped. As root, run: $command"
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

# Debian runs this before it starts a new service. The exit code 101 prevents the start.
if [ ! -e "$policy" ]; then
    own_policy=1
    printf '#!/bin/sh\n# created by tools/packages.sh during an installation\nexit 101\n' >"$policy"
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
    say "THE INSTALLATION FAILED: ${missing[*]}. The $tests will be skipped. The output of apt-get:"
    tail -n 5 "$log" >&2
    say "To install them later, as root, run: $command"
    exit 0
fi
if [ -d /run/systemd/system ]; then
    for package in "${missing[@]}"; do
        case $package in
        prosody | ejabberd | krb5-kdc | krb5-admin-server)
            systemctl disable --now --quiet "$package.service" >/dev/null 2>&1 || true
            ;;
        jabberd2)
            systemctl disable --now --quiet jabberd{,-router,-sm,-c2s,-s2s}.service >/dev/null 2>&1 || true
            ;;
        esac
    done
fi
libraries
