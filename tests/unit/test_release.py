# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tools/release.sh in a repository of its own: what it refuses, what it makes, and that a failure leaves nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
# The files with what a publisher has to set.
ADDRESSES = ("galaxy.yml", "docs/docsite/links.yml")
pytestmark = pytest.mark.skipif(not (TOOLS / "antsibull-changelog").exists(), reason="antsibull-changelog is not here")


def run(top: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    names = {"PATH": "%s:%s" % (TOOLS, os.environ["PATH"]), "HOME": str(top.parent), **environment}
    for who in ("AUTHOR", "COMMITTER"):
        names |= {"GIT_%s_NAME" % who: "Ann", "GIT_%s_EMAIL" % who: "ann@contoso.test"}
    return subprocess.run(command, cwd=top, env=names, capture_output=True, text=True, check=False)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A small collection with what a release touches, committed, and with addresses."""
    top = tmp_path / "checkout"
    files = ("galaxy.yml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore")
    for name in (*files, "changelogs", "tools", "meta", "requirements"):
        source = ROOT / name
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, top / name, ignore=shutil.ignore_patterns("__pycache__", ".plugin-cache.yaml"))
        else:
            shutil.copy(source, top / name)
    for name in ADDRESSES:
        text = (ROOT / name).read_text(encoding="utf-8")
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(re.sub("publisher[.-]invalid", "git.contoso.test", text), encoding="utf-8")
    for words in ("init --quiet", "add --all", "commit --quiet --message Begin"):
        assert run(top, "git", *words.split()).returncode == 0
    return top


def release(top: Path, version: str, checks: str = "true") -> subprocess.CompletedProcess[str]:
    return run(top, "tools/release.sh", version, CHECKS=checks)


@pytest.mark.slow
def test_a_release_is_a_version_a_changelog_a_tarball_and_a_tag(top: Path) -> None:
    done = release(top, "1.0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load((top / "galaxy.yml").read_text(encoding="utf-8"))["version"] == "1.0.0"
    releases = yaml.safe_load((top / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    assert list(releases) == ["1.0.0"]
    assert "v1\\.0\\.0" in (top / "CHANGELOG.md").read_text(encoding="utf-8")
    assert not list((top / "changelogs" / "fragments").glob("*.yaml"))
    made = top / "build" / "release"
    parts = json.loads((made / "sfb-xmpp-1.0.0.tar.gz.cdx.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((made / "sfb-xmpp-1.0.0.tar.gz").read_bytes()).hexdigest()
    assert parts["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    names = {part["name"] for part in parts["components"]}
    # What the collection takes, and what that needs in turn.
    assert {"ansible-core", "cryptography", "dnspython", "idna", "pyopenssl", "pypsrp", "service-identity"} < names
    assert {"cffi", "jinja2", "pyspnego"} < names
    assert "pytest" not in names
    assert run(made, "sha256sum", "--check", "--quiet", "SHA256SUMS").returncode == 0
    assert "SIGNATURE" not in run(top, "git", "cat-file", "tag", "v1.0.0").stdout
    assert run(top, "git", "describe", "--exact-match").stdout == "v1.0.0\n"
    assert run(top, "git", "status", "--porcelain").stdout == ""
    assert "older than v1.0.0" in release(top, "0.9.0").stderr
    assert "already exists" in release(top, "1.0.0").stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not here")
def test_the_tag_is_signed_where_a_key_is_configured(top: Path) -> None:
    key = top.parent / "key"
    assert run(top.parent, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)).returncode == 0
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(key))):
        assert run(top, "git", "config", name, value).returncode == 0
    done = release(top, "1.0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BEGIN SSH SIGNATURE" in run(top, "git", "cat-file", "tag", "v1.0.0").stdout


@pytest.mark.parametrize("version", ["", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc1"])
def test_what_is_no_version_is_refused(top: Path, version: str) -> None:
    assert "must be a version" in release(top, version).stderr


@pytest.mark.parametrize("name", ADDRESSES)
def test_placeholders_and_uncommitted_changes_are_refused(top: Path, name: str) -> None:
    shutil.copy(ROOT / name, top / name)
    assert "uncommitted changes" in release(top, "1.0.0").stderr
    assert run(top, "git", "commit", "--quiet", "--all", "--message", "Forget").returncode == 0
    assert "has placeholder addresses" in release(top, "1.0.0").stderr


@pytest.mark.slow
def test_failing_checks_leave_the_checkout_as_it_was(top: Path) -> None:
    before = run(top, "git", "rev-parse", "HEAD").stdout
    assert release(top, "1.0.0", checks="false").returncode != 0
    assert run(top, "git", "rev-parse", "HEAD").stdout == before
    assert run(top, "git", "status", "--porcelain", "--ignored").stdout.strip() in (
        "",
        "!! changelogs/.plugin-cache.yaml",
    )
    assert run(top, "git", "tag").stdout == ""
    assert list((top / "changelogs" / "fragments").glob("*.yaml"))
