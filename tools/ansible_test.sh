#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run ansible-test without containers, on a copy of the checkout: ansible_test.sh sanity|units|integration [OPTION]...
# There is no list of ignored findings. ansible-test accepts a collection only in
# .../ansible_collections/NAMESPACE/NAME, and follows no links. The copy is its own repository. Otherwise ansible-test
# would use the repository of the checkout, which ignores the folder, and would test nothing.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd -P)
# Each ansible-core has its own directory, because several can run at the same time.
place=$top/.cache/ansible-test/$1/$(python -c 'from ansible.release import __version__; print(__version__)')
copy=$place/ansible_collections/sfb/xmpp
kept=$place/output

# Keep the output of ansible-test between runs.
if [ -d "$copy/tests/output" ]; then
    rm -rf "$kept"
    mv "$copy/tests/output" "$kept"
fi
"$top/tools/copy.sh" "$copy"
if [ -d "$kept" ]; then mv "$kept" "$copy/tests/output"; fi
if find "$copy/tests/sanity" -name 'ignore*' -print -quit 2>/dev/null | grep .; then
    echo "tests/sanity has ignore entries. Repair the ignored findings, and remove the entries" >&2
    exit 1
fi
git init --quiet "$copy"

# ansible-test keeps its environments in a separate home. It also gets the installer of pip from there, instead of from
# its own download site. It passes no variables of pip. So pip's settings, such as a mirror, are written into a file.
settings=$(HOME=${USER_HOME:-$HOME} python -m pip config list | sed -nE "s/^(global|install|:env:)\.([a-z-]+)='(.*)'\$/\2 = \3/p" | tac | awk '!seen[$1]++')
export HOME=$place/home
mkdir -p "$HOME/.ansible/test/cache" "$HOME/.config/pip"
printf '[global]\n%s\n' "$settings" >"$HOME/.config/pip/pip.conf"
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
version=$(python -c '
import sys, types
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(types.SimpleNamespace(version=sys.argv[1]))["pip"])' "$python")
cat >"$HOME/.ansible/test/cache/get_pip_${version//./_}.py" <<SHIM
import subprocess, sys
packages = [word for word in sys.argv[1:] if not word.startswith("-")]
subprocess.run(["$(command -v python)", "-m", "pip", "--python", sys.executable, "install", "--quiet", *packages], check=True)
SHIM

left_out=()
if [ "$1" = sanity ]; then
    # A pre-release of ansible-test can require a file from GitHub. Without access to GitHub, the other tests still run.
    data=$(python -c 'import ansible_test, os; print(os.path.dirname(ansible_test.__file__))')/_data
    url=$(grep -oE 'https://github\.com/[^#]+' "$data/requirements/sanity.pylint.txt" || true)
    if [ -n "$url" ] && ! python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=20)' "$url" 2>/dev/null; then
        echo "LEFT OUT pylint: it needs $url"
        left_out=(--skip-test pylint)
    fi
    # The test of 2.16 does not support texts of choices. Its ansible-doc supports them.
    schema=${data%/_data}/_util/controller/sanity/validate-modules/validate_modules/schema.py
    if grep -q "^ *'choices': list,$" "$schema"; then
        echo "LEFT OUT validate-modules: this ansible-test does not support texts of choices"
        left_out+=(--skip-test validate-modules)
    fi
fi

cd "$copy"
exec ansible-test "$1" --venv --requirements --python "$python" --color no ${left_out[@]+"${left_out[@]}"} "${@:2}"
