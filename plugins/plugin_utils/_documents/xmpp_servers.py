# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The partners as settings between servers of Prosody and ejabberd, for a move to an XMPP server. Pure.

Both files belong beside a configuration that somebody writes: they say which domains may talk with the server, and how
each has to prove itself. Whoever is not in them is refused. Tried with Prosody 0.12 and ejabberd 23.01.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ...module_utils._base.inventory_text import inventory_text
from ...module_utils._base.names import Invalid, canonical_domain, spellings
from ...module_utils._base.texts import one_line

Values = t.Mapping[str, t.Any]

PROSODY, PROSODY_MODULE = "xmpp/prosody/sfb_xmpp_partners.cfg.lua", "xmpp/prosody/mod_sfb_xmpp_partners.lua"
EJABBERD = "xmpp/ejabberd/sfb_xmpp_partners.yml"
REQUIRED, NOT_SUPPORTED = "required", "not_supported"


@dataclass(frozen=True)
class S2sPartner:
    """A partner as an XMPP server sees it.

    domains: as A-labels and, where that differs, in Unicode, as servers name themselves. encryption: whether a stream
    without TLS is refused. certificate: whether only a valid certificate proves the partner. Otherwise dialback does.
    """

    name: str
    domains: tuple[str, ...]
    encryption: bool
    certificate: bool


@dataclass(frozen=True)
class S2sPartners:
    """left_out: partners that no server could serve as they are, one text each."""

    partners: tuple[S2sPartner, ...]
    left_out: tuple[str, ...] = ()

    @property
    def encrypted(self) -> bool:
        """Whether every stream has to be encrypted."""
        return all(one.encryption for one in self.partners)

    @property
    def by_dialback(self) -> tuple[S2sPartner, ...]:
        return tuple(one for one in self.partners if not one.certificate)

    @property
    def loose(self) -> tuple[str, ...]:
        """The partners of which encryption is required, but not by ejabberd: it has one switch for all partners."""
        return () if self.encrypted else tuple(one.name for one in self.by_dialback if one.encryption)


def s2s_partners(partners: t.Iterable[Values]) -> S2sPartners:
    """partners: with domain, additional_domains, tls_negotiation, sasl_negotiation, support_dialback_negotiation.

    As the product's page of negotiation settings has it: SASL means the certificate, and needs TLS; dialback works with
    TLS and without it.
    """
    found, left_out = [], []
    for partner in partners:
        name = one_line(str(partner["domain"]))
        tls, sasl = partner["tls_negotiation"], partner["sasl_negotiation"]
        dialback = partner["support_dialback_negotiation"]
        if None in (tls, sasl, dialback):
            left_out.append("%s: the server does not say how it proves itself" % name)
            continue
        dialback = dialback and sasl != REQUIRED
        if not dialback and (NOT_SUPPORTED in (tls, sasl)):
            left_out.append("%s: its settings leave no way to prove itself" % name)
            continue
        try:
            domains = [canonical_domain(str(one)) for one in (partner["domain"], *partner["additional_domains"])]
        except Invalid as exc:
            left_out.append(one_line("%s: %s" % (name, exc)))
            continue
        names = dict.fromkeys(one for domain in domains for one in (domain, *sorted(spellings(domain))))
        found.append(S2sPartner(name, tuple(names), not dialback or tls == REQUIRED, not dialback))
    return S2sPartners(tuple(found), tuple(left_out))


def files(partners: S2sPartners) -> dict[str, str]:
    """The files by their path below the directory of the run."""
    return {PROSODY: _prosody(partners), PROSODY_MODULE: _MODULE, EJABBERD: _ejabberd(partners)}


_HOW = """%(mark)s The partners of Skype for Business Server as partners of this server. Written by sfb.xmpp.migration.
%(mark)s %(use)s
"""


def _prosody(partners: S2sPartners) -> str:
    use = """Put this line into the global section of prosody.cfg.lua:
--   Include "/etc/prosody/sfb_xmpp_partners.cfg.lua"
-- Put mod_sfb_xmpp_partners.lua into a directory of plugin_paths, and add to modules_enabled:
--   "tls", "dialback", "sfb_xmpp_partners"
-- Without that module every domain may talk with this server."""
    lines = [_HOW % {"mark": "--", "use": use}]
    lines.append("s2s_require_encryption = %s\n" % _lua(partners.encrypted))
    # The option s2s_secure_auth makes Prosody ask every server for TLS (mod_tls.lua of 0.12).
    lines.append("s2s_secure_auth = %s\n" % _lua(partners.encrypted))
    if partners.encrypted:
        lines.append("-- These may prove themselves by dialback. All others need a valid certificate.\n")
    else:
        lines.append("-- These need a valid certificate. All others may prove themselves by dialback.\n")
    named = [one for one in partners.partners if one.certificate != partners.encrypted]
    option = "s2s_insecure_domains" if partners.encrypted else "s2s_secure_domains"
    names = "".join("\t%s;\n" % _lua(name) for one in named for name in one.domains)
    lines.append("%s = {\n%s}\n" % (option, names))
    lines.append("sfb_xmpp_partners = {\n")
    for one in partners.partners:
        lines += ["\t[%s] = { encryption = %s };\n" % (_lua(name), _lua(one.encryption)) for name in one.domains]
    lines.append("}\n")
    lines += ["-- Left out: %s\n" % text for text in partners.left_out]
    return "".join(lines)


def _lua(value: str | bool) -> str:
    """A string or a switch. Lua reads the escapes of JSON for what a domain can have; others are bytes."""
    return json.dumps(value, ensure_ascii=False)


def _ejabberd(partners: S2sPartners) -> str:
    use = """Put these lines into ejabberd.yml:
#   include_config_file:
#     - /etc/ejabberd/sfb_xmpp_partners.yml
# Remove the options s2s_access, s2s_use_starttls and mod_s2s_dialback there."""
    content: dict[str, t.Any] = {
        "acl": {"sfb_xmpp_partners": {"server": [name for one in partners.partners for name in one.domains]}},
        "access_rules": {"sfb_xmpp_partners": [{"allow": "sfb_xmpp_partners"}]},
        "s2s_access": "sfb_xmpp_partners",
        "s2s_use_starttls": "required" if partners.encrypted else "optional",
    }
    if not partners.partners:  # a list without a name is refused
        content.update(acl={}, access_rules={}, s2s_access="none")
    names = [name for one in partners.by_dialback for name in one.domains]
    if names:
        # A partner that is not among these needs a valid certificate.
        content["acl"]["sfb_xmpp_dialback"] = {"server": names}
        content["access_rules"]["sfb_xmpp_dialback"] = [{"allow": "sfb_xmpp_dialback"}]
        content["modules"] = {"mod_s2s_dialback": {"access": "sfb_xmpp_dialback"}}
    lines = [_HOW % {"mark": "#", "use": use}]
    lines += [
        "# Encryption is not enforced for %s: ejabberd has one switch for all.\n" % name for name in partners.loose
    ]
    lines += ["# Left out: %s\n" % text for text in partners.left_out]
    return "".join(lines) + inventory_text(content).removeprefix("---\n")


# Prosody has no list of partners by itself.
_MODULE = """-- Only partners talk with this server, each as its settings say. Written by sfb.xmpp.migration.
-- GNU General Public License v3.0-or-later (see https://www.gnu.org/licenses/gpl-3.0.txt)
local st = require "util.stanza";

local partners = module:get_option("sfb_xmpp_partners", {});

-- What our users send.
module:hook("route/remote", function (event)
    if partners[event.to_host] then
        return;
    end
    if event.stanza.attr.type ~= "error" then
        module:send(st.error_reply(event.stanza, "cancel", "not-allowed", "This domain is not a partner"));
    end
    return true;
end, 100);

-- A server has proven its domain, by its certificate or by dialback, on a stream in either direction.
module:hook("s2s-authenticated", function (event)
    local partner, session = partners[event.host], event.session;
    local text;
    if not partner then
        text = "This domain is not a partner";
    elseif partner.encryption and not session.secure then
        text = "Encryption is required";
    end
    if text then
        module:log("info", "Refused %s: %s", event.host, text);
        session:close({ condition = "policy-violation", text = text });
        return false;
    end
end, 100);
"""
