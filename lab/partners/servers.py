# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the partners: each server with address, domains and settings.

The lab's inventory (inventories/lab) declares these domains and the kind of server. Two domains have subdomains. The
certificate of each subdomain has one mistake. The inventory does not declare the domains of
jabberd2 and wokkel.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ..errors import LabError

Kind = t.Literal["prosody", "ejabberd", "jabberd2", "wokkel"]
TLS = ("required", "optional", "none")
_FLAGS = ("dialback", "demands", "old_tls", "new_tls", "external", "insists")


@dataclass(frozen=True)
class Partner:
    """Hold a partner's server and the settings of the server.

    domains: each domain with the kind of certificate (``certificates.KINDS``), valid by default. jabberd2 presents the
        first domain's certificate for all domains.
    tls: TLS on streams between servers: ``required``, ``optional`` or ``none``.
    dialback: whether a peer without a valid certificate can authenticate by dialback (XEP-0220).
    demands: whether a TLS handshake without a client certificate fails. Only Prosody and jabberd2 support this setting.
    old_tls: whether the server has only TLS 1.0, with old ciphers. Only jabberd2 supports this setting.
    new_tls: whether the server has only TLS 1.3. Only Prosody and ejabberd support this setting.
    external: whether the server has SASL EXTERNAL between servers. Only Prosody can disable SASL EXTERNAL.
    insists: whether the server requires a valid certificate in addition to dialback, as Prosody does by default.
        Only Prosody supports this setting.
    client_port, server_port: TCP ports, set at the start.
    """

    name: str
    kind: Kind
    address: str
    domains: t.Mapping[str, str]
    tls: str = "required"
    dialback: bool = False
    demands: bool = False
    old_tls: bool = False
    new_tls: bool = False
    external: bool = True
    insists: bool = False
    client_port: int = 0
    server_port: int = 0

    @property
    def strict(self) -> bool:
        """Return whether the server accepts only encrypted streams with valid certificates."""
        return self.tls == "required" and not self.dialback

    @property
    def host(self) -> str:
        """Return the name of the machine. The domains' SRV records have this name as target."""
        return "xmpp." + next(iter(self.domains))

    def changed(self, settings: t.Mapping[str, t.Any]) -> Partner:
        """Return the same server with another ``tls`` and other flags (dialback and the next attributes).

        Raises LabError for other settings, and for settings that the program does not support.
        """
        given = {"tls": self.tls, **{name: getattr(self, name) for name in _FLAGS}, **settings}
        wrong = given["tls"] not in TLS or not all(isinstance(given[name], bool) for name in _FLAGS)
        if len(given) > 1 + len(_FLAGS) or wrong:
            text = "use the settings tls (%s), and with true or false %s, not %r"
            raise LabError(text % (", ".join(TLS), ", ".join(_FLAGS), settings))
        if given["demands"] and self.kind in ("ejabberd", "wokkel"):
            raise LabError("%s cannot demand certificates: %s has no option for it" % (self.name, self.kind))
        if given["old_tls"] and self.kind != "jabberd2":
            raise LabError("%s cannot have old TLS alone: in this lab only jabberd2 can" % self.name)
        if given["new_tls"] and self.kind not in ("prosody", "ejabberd"):
            raise LabError("%s cannot have TLS 1.3 alone: in this lab only Prosody and ejabberd can" % self.name)
        if not given["external"] and self.kind != "prosody":
            raise LabError("%s cannot be without SASL EXTERNAL: %s has no option for it" % (self.name, self.kind))
        if given["insists"] and self.kind != "prosody":
            raise LabError("%s cannot require certificates with dialback: in this lab only Prosody can" % self.name)
        if not given["dialback"] and self.kind in ("jabberd2", "wokkel"):
            raise LabError("%s needs dialback: %s has no SASL between servers" % (self.name, self.kind))
        if given["tls"] != "none" and self.kind == "wokkel":
            raise LabError("%s cannot have TLS: wokkel has none between servers" % self.name)
        return dataclasses.replace(self, **settings)


def _table(*partners: Partner) -> dict[str, Partner]:
    return {partner.name: partner for partner in partners}


def _good(*domains: str) -> dict[str, str]:
    return dict.fromkeys(domains, "good")


SERVERS: t.Mapping[str, Partner] = _table(
    Partner(
        "prosody",
        "prosody",
        "127.0.0.31",
        {
            **_good("fabrikam.example", "emea.fabrikam.example", "apac.fabrikam.example", "im.woodgrovebank.example"),
            "expired.fabrikam.example": "expired",
            "wrongname.fabrikam.example": "wrongname",
            "unknownca.fabrikam.example": "unknownca",
            "serveronly.fabrikam.example": "serveronly",
        },
    ),
    Partner("ejabberd-strict", "ejabberd", "127.0.0.32", _good("graphicdesign.example")),
    Partner(
        "prosody-lenient",
        "prosody",
        "127.0.0.33",
        {
            # Public authorities issue certificates without client authentication today.
            "litware.example": "serveronly",
            **{"%s.litware.example" % kind: kind for kind in ("expired", "wrongname", "unknownca")},
            **_good("adatum.example", "labs.adatum.example", "xn--konditorei-mller-uzb.example"),
            **_good("humongousinsurance.example"),
            **_good(*("%s.humongousinsurance.example" % name for name in ("claims", "brokers", "emea", "legal"))),
        },
        tls="optional",
        dialback=True,
    ),
    Partner(
        "ejabberd",
        "ejabberd",
        "127.0.0.34",
        _good("jabber.example", "northwindtraders.example", "tailspintoys.example", "chat.alpineskihouse.example"),
        tls="optional",
        dialback=True,
    ),
    Partner(
        "prosody-clear", "prosody", "127.0.0.35", _good("talk.wideworldimporters.example"), tls="none", dialback=True
    ),
    Partner(
        "jabberd2-old",
        "jabberd2",
        "127.0.0.36",
        _good("lucernepublishing.example"),
        tls="optional",
        dialback=True,
        old_tls=True,
    ),
    Partner(
        "jabberd2-mutual",
        "jabberd2",
        "127.0.0.37",
        _good("cohovineyard.example"),
        dialback=True,
        demands=True,
    ),
    Partner("wokkel", "wokkel", "127.0.0.38", _good("proseware.example"), tls="none", dialback=True),
)
DEFAULT = ("prosody", "ejabberd")  # one strict and one lenient server
