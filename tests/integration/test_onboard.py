# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook onboard against a partner on loopback: check, do, do again."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml

from tests.integration.plays import Plays
from tests.integration.test_probe import DOMAIN, OWN, good
from tests.integration.xmpp_peer import NameServer, Peer
from tests.unit import certificates


def test_a_partner_is_probed_and_declared_and_no_server_is_asked(plays: Plays, tmp_path: Path) -> None:
    trusted, file = tmp_path / "roots.pem", tmp_path / "partners.yml"
    trusted.write_bytes(certificates.root().pem)
    file.write_text("# ours\nsfb_xmpp_partners:\n  - domain: litware.com\n", encoding="utf-8")
    before = plays.lab.store().events()
    with NameServer() as dns, Peer(good()) as peer:
        dns.service(DOMAIN, peer.port)
        verification: dict[str, t.Any] = {
            "own_domains": [OWN], "access_edge": "sip.contoso.test", "nameservers": [dns.place], "timeout": 3,
            "trust_store": str(trusted), "allow_local": True,
        }  # fmt: skip

        def run(*more: str, **settings: t.Any) -> t.Any:
            values = {"sfb_xmpp_verification": {**verification, **settings}}
            named = {"sfb_xmpp_for_partner": DOMAIN, "sfb_xmpp_into": str(file), "sfb_xmpp_ticket": "CHG-7"}
            path = tmp_path / "settings.json"
            path.write_text(json.dumps({**values, **named}), encoding="utf-8")
            return plays.run("sfb.xmpp.onboard", "-e", "@%s" % path, *more, directory=tmp_path)

        checked = run("--check", "--diff")
        assert checked.code == 0
        assert "litware" not in file.read_text(encoding="utf-8").replace("domain: litware.com", "")
        assert not (tmp_path / "sfb-xmpp-onboard").exists()
        done = run()
        assert done.code == 0
        first, second = yaml.safe_load(file.read_text(encoding="utf-8"))["sfb_xmpp_partners"]
        assert first == {"domain": "litware.com"}
        assert (second["domain"], second["tls_negotiation"], second["ticket"]) == (DOMAIN, "required", "CHG-7")
        assert "sip.contoso.test" in (tmp_path / "sfb-xmpp-onboard" / (DOMAIN + ".md")).read_text(encoding="utf-8")
        # Without leave, DNS of the partner does not lead to the controller.
        seen = len(peer.seen)
        refused = run(allow_local=False)
        assert (refused.code, len(peer.seen)) == (2, seen)
    assert plays.lab.store().events() == before
