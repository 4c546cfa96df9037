# shellcheck shell=bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Source this file for a private run, which shares nothing with other runs and removes its files at the end. $run is its
# directory. A lab in this run has its own ports and its own state. Tools do not use the user's settings, and write no
# files into the home directory.
run=$(mktemp -d /tmp/sfb.XXXXXX) # short, because paths of sockets have at most about 100 characters
touch "$run/ansible.cfg"
export SFB_RUN=$run SFB_LAB_DIRECTORY=$run/lab SFB_LAB_PORT SFB_LAB_XMPP_PORT=0
export HOME=$run ANSIBLE_HOME=$run/ansible ANSIBLE_CONFIG=$run/ansible.cfg
SFB_LAB_PORT=$(python -c 'from lab.deployment.endpoints import ADDRESSES, free_port; print(free_port(ADDRESSES.values()))')

# Every process of this run has SFB_RUN in its environment, including daemons.
marked() {
    local process
    for process in /proc/[0-9]*; do
        if { tr '\0' '\n' <"$process/environ"; } 2>/dev/null | grep -qxF "SFB_RUN=$run"; then echo "${process#/proc/}"; fi
    done
}

leave() {
    local status=$? process wait
    trap '' INT TERM
    if [ -e "$SFB_LAB_DIRECTORY/partners" ]; then python -m lab partners down >/dev/null 2>&1 || true; fi
    if [ -e "$SFB_LAB_DIRECTORY/lab.pid" ]; then python -m lab down >/dev/null 2>&1 || true; fi
    for wait in 0 1 1 1 KILL; do
        for process in $(marked); do
            if [ "$wait" = KILL ]; then kill -KILL "$process" 2>/dev/null; else kill "$process" 2>/dev/null; fi || true
        done
        if [ -z "$(marked)" ]; then break; fi
        if [ "$wait" != KILL ]; then sleep "$wait"; fi
    done
    rm -rf "$run"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
