#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the documentation of the collection as a web site: build/docs/index.html. This needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."
source=build/docs-source
rm -rf build/docs "$source"
mkdir -p "$source"
antsibull-docs sphinx-init --use-current --squash-hierarchy --lenient --project sfb.xmpp --title sfb.xmpp \
    --copyright "the sfb.xmpp authors" --dest-dir "$source" sfb.xmpp >/dev/null
# Sphinx would check links to other projects' documentation over the network.
sed -i '/^intersphinx_mapping *= *{/,/^}/d' "$source/conf.py"
mkdir "$source/static"
cp docs/docsite/site.css "$source/static/"
printf "\nhtml_static_path = ['static']\nhtml_css_files = ['site.css']\n" >>"$source/conf.py"
chmod go-w "$source/rst" # antsibull-docs requires this
antsibull-docs --config-file "$source/antsibull-docs.cfg" \
    collection --cleanup everything --use-current --squash-hierarchy --dest-dir "$source/rst" sfb.xmpp
cp -R docs/docsite/rst/images "$source/rst/docsite/" # antsibull-docs copies only text files
python -m tools.docs_frame "$source/rst"
sphinx-build --quiet --fail-on-warning --keep-going -b html -c "$source" "$source/rst" build/docs
echo "build/docs/index.html"
