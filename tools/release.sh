#!/usr/bin/env bash
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes a release: tools/release.sh VERSION, or make release VERSION=1.2.3. The version and the changelog are committed, the
# checks pass on that commit, the tarball is in build/release, and the tag stands. Nothing is sent anywhere. Whatever
# fails, the checkout is then as before.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-}

refuse() {
    printf 'no release: %s\n' "$*" >&2
    exit 1
}

[[ $version =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || refuse "VERSION=$version is no version such as 1.2.3"
[ -z "$(git status --porcelain)" ] || refuse "there are changes that are not committed"
! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || refuse "the tag v$version is there already"
! grep -E '^ *(repository|issues|documentation|homepage):.*[.-]invalid' galaxy.yml docs/docsite/links.yml >&2 ||
    refuse "galaxy.yml and docs/docsite/links.yml have addresses that the publisher has to set"
last=$(git tag --list 'v*' --sort=-version:refname | sed -n 1p)
if [ -n "$last" ] && [ "$(printf '%s\n' "${last#v}" "$version" | sort --version-sort | tail -n 1)" != "$version" ]; then
    refuse "$version is older than $last"
fi

before=$(git rev-parse HEAD)
undo() {
    git reset --quiet --hard "$before"
    git clean --quiet --force -- changelogs CHANGELOG.md
}
trap undo EXIT
sed -i "s/^version: .*/version: $version/" galaxy.yml
antsibull-changelog lint
antsibull-changelog release --version "$version"
git add --all galaxy.yml CHANGELOG.md changelogs
git commit --quiet --message "Release $version"
${CHECKS:-python -m tools.checks}
[ -z "$(git status --porcelain)" ] || refuse "the checks changed files"

tools/tarball.sh
# Signed where git has a key for it.
sign=--no-sign
[ -z "$(git config user.signingkey)" ] || sign=--sign
git tag "$sign" --annotate "v$version" --message "sfb.xmpp $version"
trap - EXIT
echo "build/release/sfb-xmpp-$version.tar.gz is tagged v$version; to publish: git push --follow-tags, ansible-galaxy collection publish"
