# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The partners as settings of Prosody and ejabberd: both take the files, and talk with these partners and no others."""

from __future__ import annotations

import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import xmpp_servers

from lab.partners import launch, programs
from lab.partners.control import Partners, start
from lab.partners.programs import missing

if missing():
    pytest.skip("real XMPP servers are not installed: as root, %s" % programs.COMMAND, allow_module_level=True)

from lab.partners.client import User
from tests.integration.test_partners_servers import GATEWAY_PORT, delivered, logged

PROSODY, EJABBERD, OTHER = "fabrikam.example", "jabber.example", "graphicdesign.example"
CLEAR = "talk.wideworldimporters.example"


def row(domain: str, tls: str = "required", sasl: str = "optional", dialback: bool = True) -> dict[str, t.Any]:
    negotiation = {"tls_negotiation": tls, "sasl_negotiation": sasl, "support_dialback_negotiation": dialback}
    return {"domain": domain, "additional_domains": [], **negotiation}


class Written:
    """Puts the files of a migration to the configuration that the lab renders, as their heads say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._render = launch.render
        self.partners: dict[str, list[dict[str, t.Any]]] = {}

    def render(self, template: str, path: Path, **values: t.Any) -> None:
        self._render(template, path, **values)
        name = getattr(values.get("partner"), "name", "")
        if name not in self.partners or template not in ("prosody.cfg.lua", "ejabberd.yml"):
            return
        for file, text in xmpp_servers.files(xmpp_servers.s2s_partners(self.partners[name])).items():
            (self.folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name / file).write_text(text, encoding="utf-8")
        change = self._prosody if template == "prosody.cfg.lua" else self._ejabberd
        path.write_text(change(path.read_text("utf-8"), self.folder / name), "utf-8")

    @staticmethod
    def _prosody(text: str, folder: Path) -> str:
        file = folder / xmpp_servers.PROSODY
        text = re.sub(r"^s2s_(require_encryption|secure_auth) = .*\n", "", text, flags=re.MULTILINE)
        text = text.replace("modules_enabled = {", 'modules_enabled = { "tls", "dialback", "sfb_xmpp_partners",')
        text = text.replace(' "tls",\n', "\n")
        text = text.replace("plugin_paths = {", 'plugin_paths = { "%s",' % file.parent)
        return 'Include "%s"\n%s' % (file, text)

    @staticmethod
    def _ejabberd(text: str, folder: Path) -> str:
        text = re.sub(r"^s2s_use_starttls: .*\n|^  mod_s2s_dialback: .*\n", "", text, flags=re.MULTILINE)
        return "%sinclude_config_file:\n  - %s\n" % (text, folder / xmpp_servers.EJABBERD)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[Partners, Written]]:
    """Prosody and ejabberd with our files, a server that is no partner of theirs, and one without TLS."""
    made = Written(tmp_path_factory.mktemp("written"))
    made.partners["prosody"] = [row(EJABBERD), row(CLEAR, "not_supported", "not_supported")]
    made.partners["ejabberd"] = [row(PROSODY, sasl="required", dialback=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "render", made.render)
        names = ("prosody", "ejabberd", "ejabberd-strict", "prosody-clear")
        running = start(tmp_path_factory.mktemp("partners"), GATEWAY_PORT, names)
        yield running, made
        running.stop()


def is_refused(partners: Partners, sender: str, receiver: str, error: str = "") -> bool:
    """Whether the sender's own server says so."""
    message = delivered(partners, "romeo@" + sender, "juliet@" + receiver, "hello")
    return message is not None and message.type == "error" and message.error.startswith(error)


def is_kept_out(partners: Partners, sender: str, receiver: str, *words: str) -> bool:
    """Whether the receiver's server says so in its log. The sender may never learn of it."""
    with User(partners, sender, "romeo") as here:
        here.send("juliet@" + receiver, "hello")
        return logged(partners, partners.partner(receiver).name, sender, *words)


def is_delivered(partners: Partners, sender: str, receiver: str) -> bool:
    message = delivered(partners, "romeo@" + sender, "juliet@" + receiver, "hello")
    return message is not None and (message.type, message.body) == ("chat", "hello")


def test_prosody_finds_nothing_wrong(written: tuple[Partners, Written]) -> None:
    config = written[0].folder / "prosody" / "prosody.cfg.lua"
    command = [programs.program("prosodyctl"), "--config", str(config), "check", "config"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    log = (written[0].folder / "prosody" / "prosody.log").read_text("utf-8", "replace")
    assert "sfb_xmpp_partners" not in log, "the module did not load"


def test_ejabberd_finds_nothing_wrong(written: tuple[Partners, Written]) -> None:
    log = (written[0].folder / "ejabberd" / "ejabberd.log").read_text("utf-8", "replace")
    assert "sfb_xmpp" not in log
    assert not re.search(r"Unknown|Invalid|[Ff]ailed to", log), log


def test_partners_talk_and_others_do_not(written: tuple[Partners, Written]) -> None:
    partners, _made = written
    for sender, receiver in ((PROSODY, EJABBERD), (EJABBERD, PROSODY), (PROSODY, CLEAR), (CLEAR, PROSODY)):
        assert is_delivered(partners, sender, receiver), (sender, receiver)
    for ours, words, error in (
        (PROSODY, "This domain is not a partner", "not-allowed"),
        (EJABBERD, "invalid-from", "forbidden"),
    ):
        assert is_refused(partners, ours, OTHER, error), "before it connects"
        assert is_kept_out(partners, OTHER, ours, words)


def test_prosody_wants_encryption_of_a_partner_alone(written: tuple[Partners, Written]) -> None:
    """Without TLS the same server is refused when its settings require TLS, though others need none."""
    partners, made = written
    made.partners["prosody"] = [row(CLEAR), row("x.example", "optional", "not_supported"), row(EJABBERD)]
    partners.restart("prosody")
    assert is_kept_out(partners, CLEAR, PROSODY, "Encryption is required")
    assert is_refused(partners, PROSODY, CLEAR)
    assert is_delivered(partners, EJABBERD, PROSODY)
