#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# make demo: start a lab on the loopback interface, and deploy a federation into it with the real code and the real
# protocol. The logs stay in build/demo. Everything else is removed.
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

# Show the important parts of a run: the plan (its last version), the table of partners, and the recap of the hosts. The
# complete output is in the log.
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

# play NAME ARGUMENTS...: run a playbook, log its output, and show the important parts
play() {
    local log=$logs/$1.log
    shift
    ansible-playbook --inventory inventories/lab "$@" 2>&1 | tee "$log" | shown
}

heading "Start a lab in $run: a management host and two Edge servers, without a federation"
python -m lab up

heading "1. ansible-playbook sfb.xmpp.converge -i inventories/lab --diff"
play converge sfb.xmpp.converge --diff

heading "2. Run it again: nothing changes"
play again sfb.xmpp.converge
if grep -qE 'changed=[1-9]' "$logs/again.log"; then
    echo "the second run changed something. Read $logs/again.log" >&2
    exit 1
fi

heading "3. Read the deployment through the info modules"
play readback tools/readback.yml >/dev/null
grep -c '=> (item=' "$logs/readback.log" | sed 's/$/ policies and partners, in build\/demo\/readback.log/'

if python -m lab partners missing >"$logs/partners.log"; then
    heading "4. Start partners: Prosody and ejabberd servers, with certificates, a name server and users"
    # The servers of the partners that the inventory declares.
    python -m lab partners up --with prosody ejabberd-strict prosody-lenient ejabberd prosody-clear |
        tee "$logs/partners.log" | grep -E 'the partners are up|  servers:'

    heading "5. ansible-playbook sfb.xmpp.verify -i inventories/lab: check the federation with each partner"
    play verify sfb.xmpp.verify

    heading "6. Send a message to a user on ejabberd. Then a user of Fabrikam, on Prosody, writes to a user of Contoso"
    python -m lab talk ialmeida@contoso.test juliet@jabber.example --expect T,T \
        --ask 'Is the line up?' --answer 'It is.' | tee "$logs/talk.log"
    python -m lab talk romeo@fabrikam.example ialmeida@contoso.test --expect S,S \
        --ask 'Are we connected at last?' --answer 'We are, with certificates on both sides.' | tee -a "$logs/talk.log"
    python -m lab partners down >/dev/null
else
    heading "Skip the partners"
    cat "$logs/partners.log"
fi

python -m lab events >"$logs/events.log"
heading "Done in $((SECONDS - started)) s. The results are in"
cat <<TXT
  build/demo/                converge.log (with its diff), again.log, readback.log and verify.log
  build/demo/events.log      every statement that the lab's servers received: $(wc -l <"$logs/events.log") lines
  inventories/lab/           the declared settings

  make lab-up; . .venv/bin/activate; ansible-playbook sfb.xmpp.converge -i inventories/lab --check --diff
                             the same by hand, in a lab that runs until make lab-down. python -m lab events shows its log
TXT
