#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# make demo: from nothing to a converged federation, by the real code over the real protocol, against a lab on the loopback
# interface. Logs stay in build/demo; nothing else is left.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
tools/environment.sh
tools/packages.sh partners
PATH=${VENV:-$PWD/.venv}/bin:$PATH
# shellcheck source=tools/private.sh
. tools/private.sh
logs=build/demo
rm -rf "$logs"
mkdir -p "$logs"

heading() { printf '\n=== %s\n' "$*"; }

# What people look for in a run: the plan (as it is said last), the table of partners, what each host came to. The rest is in the log.
shown() {
    awk '
        /^sfb\.xmpp plan for/ { plan = 1; block = "" }
        /^The domains, the worst first/ { table = 1 }
        /^PLAY RECAP/          { recap = 1 }
        /^(fatal|failed):/ || /^\[?ERROR/ { print substr($0, 1, 400) }
        recap && block        { printf "%s", block; block = "" }
        /^(ok|changed|---)/    { plan = 0 }
        plan                  { block = block $0 "\n" }
        /^(TASK|PLAY) /        { table = 0 }
        (table || recap) && NF { print }
    '
}

# play NAME ARGUMENTS...: runs a playbook, logged, and shows what counts
play() {
    local log=$logs/$1.log
    shift
    ansible-playbook --inventory inventories/lab "$@" 2>&1 | tee "$log" | shown
}

heading "A lab in $run: a management host and two Edge servers, nothing deployed yet"
python -m lab up

heading "1. ansible-playbook sfb.xmpp.converge -i inventories/lab --diff"
play converge sfb.xmpp.converge --diff

heading "2. The same once more: there is nothing left to do"
play again sfb.xmpp.converge
if grep -qE 'changed=[1-9]' "$logs/again.log"; then
    echo "the second run changed something: see $logs/again.log" >&2
    exit 1
fi

heading "3. What the deployment holds now, read back through the info modules"
play readback tools/readback.yml >/dev/null
grep -c '=> (item=' "$logs/readback.log" | sed 's/$/ policies and partners, in build\/demo\/readback.log/'

if python -m lab partners missing >"$logs/partners.log"; then
    heading "4. Partners appear: real Prosody and ejabberd servers, with certificates, a name server and users"
    # The servers of the partners that the inventory declares.
    python -m lab partners up --with prosody ejabberd-strict prosody-lenient ejabberd prosody-clear |
        tee "$logs/partners.log" | grep -E 'the partners are up|  servers:'

    heading "5. ansible-playbook sfb.xmpp.verify -i inventories/lab: does federation work, partner by partner?"
    play verify sfb.xmpp.verify

    heading "6. Somebody on ejabberd is asked; then a user of Fabrikam, on Prosody, writes to a user of Contoso, who answers"
    python -m lab talk ialmeida@contoso.test juliet@jabber.example --expect T,T \
        --ask 'Is the line up?' --answer 'It is.' | tee "$logs/talk.log"
    python -m lab talk romeo@fabrikam.example ialmeida@contoso.test --expect S,S \
        --ask 'Are we connected at last?' --answer 'We are, and each of us is who he says.' | tee -a "$logs/talk.log"
    python -m lab partners down >/dev/null
else
    heading "The real partners are left out"
    cat "$logs/partners.log"
fi

python -m lab events >"$logs/events.log"
heading "Done in $((SECONDS - started)) s. Where to look"
cat <<TXT
  build/demo/                converge.log (with its diff), again.log, readback.log and verify.log
  build/demo/events.log      every statement that reached the lab's servers: $(wc -l <"$logs/events.log") lines
  inventories/lab/           what was asked for

  make lab-up; . .venv/bin/activate; ansible-playbook sfb.xmpp.converge -i inventories/lab --check --diff
                             the same by hand, in a lab that stays until make lab-down; python -m lab events shows its log
TXT
