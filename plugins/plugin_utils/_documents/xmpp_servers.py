# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the partners as server-to-server settings of Prosody and ejabberd, for a move to an XMPP server.

This code is pure. Users include the file for Prosody or for ejabberd in their configuration. The files have the allowed
domains, and the proof
that each domain needs. All other domains are refused. The files were tested with Prosody 0.12 and ejabberd 23.01.
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
    """Hold a partner's settings on an XMPP server.

    domains: the A-labels, and the Unicode forms if they differ from the A-labels. Servers use A-labels and Unicode.
    encryption: whether a stream without TLS is refused.
    certificate: whether the partner needs a valid certificate. Otherwise dialback is also accepted.
    """

    name: str
    domains: tuple[str, ...]
    encryption: bool
    certificate: bool


@dataclass(frozen=True)
class S2sPartners:
    """Hold the settings of all partners on an XMPP server.

    left_out: one text for each partner whose settings an XMPP server cannot use.
    """

    partners: tuple[S2sPartner, ...]
    left_out: tuple[str, ...] = ()

    @property
    def encrypted(self) -> bool:
        """Return whether every stream must be encrypted."""
        return all(one.encryption for one in self.partners)

    @property
    def by_dialback(self) -> tuple[S2sPartner, ...]:
        return tuple(one for one in self.partners if not one.certificate)

    @property
    def loose(self) -> tuple[str, ...]:
        """Return the partners whose encryption ejabberd cannot enforce: ejabberd has one switch for all partners."""
        return () if self.encrypted else tuple(one.name for one in self.by_dialback if one.encryption)


def s2s_partners(partners: t.Iterable[Values]) -> S2sPartners:
    """Return the partners' settings for XMPP servers.

    In the product, SASL means the certificate, and SASL needs TLS. Dialback works with and without TLS. Source: the
    product's page of negotiation settings.
    partners: domain, additional_domains, tls_negotiation, sasl_negotiation and support_dialback_negotiation of each.
    """
    found, left_out = [], []
    for partner in partners:
        name = one_line(str(partner["domain"]))
        tls, sasl = partner["tls_negotiation"], partner["sasl_negotiation"]
        dialback = partner["support_dialback_negotiation"]
        if None in (tls, sasl, dialback):
            left_out.append("%s: its settings are unknown" % name)
            continue
        dialback = dialback and sasl != REQUIRED
        if not dialback and (NOT_SUPPORTED in (tls, sasl)):
            left_out.append("%s: its settings allow no authentication" % name)
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
    """Return the texts of the files, by path below the directory of the run."""
    return {PROSODY: _prosody(partners), PROSODY_MODULE: _MODULE, EJABBERD: _ejabberd(partners)}


_HOW = """%(mark)s The partners of Skype for Business Server as partners of this server. Written by sfb.xmpp.migration.
%(mark)s %(use)s
"""


def _prosody(partners: S2sPartners) -> str:
    use = """Put this line into the global section of prosody.cfg.lua:
--   Include "/etc/prosody/sfb_xmpp_partners.cfg.lua"
-- Put mod_sfb_xmpp_partners.lua into a directory of plugin_paths, and add to modules_enabled:
--   "tls", "dialback", "sfb_xmpp_partners"
-- Without this module, every domain can connect to this server."""
    lines = [_HOW % {"mark": "--", "use": use}]
    lines.append("s2s_require_encryption = %s\n" % _lua(partners.encrypted))
    # With the option s2s_secure_auth, Prosody requests TLS from every server (mod_tls.lua of 0.12).
    lines.append("s2s_secure_auth = %s\n" % _lua(partners.encrypted))
    if partners.encrypted:
        lines.append("-- These partners can use dialback. All others need a valid certificate.\n")
    else:
        lines.append("-- These partners need a valid certificate. All others can use dialback.\n")
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
    """Return a string or a switch in Lua. Lua understands the escapes of JSON for all characters of domains."""
    return json.dumps(value, ensure_ascii=False)


def _ejabberd(partners: S2sPartners) -> str:
    use = """Put these lines into ejabberd.yml:
#   include_config_file:
#     - /etc/ejabberd/sfb_xmpp_partners.yml
# Remove the options s2s_access, s2s_use_starttls and mod_s2s_dialback from that file."""
    content: dict[str, t.Any] = {
        "acl": {"sfb_xmpp_partners": {"server": [name for one in partners.partners for name in one.domains]}},
        "access_rules": {"sfb_xmpp_partners": [{"allow": "sfb_xmpp_partners"}]},
        "s2s_access": "sfb_xmpp_partners",
        "s2s_use_starttls": "required" if partners.encrypted else "optional",
    }
    if not partners.partners:  # ejabberd refuses an empty list
        content.update(acl={}, access_rules={}, s2s_access="none")
    names = [name for one in partners.by_dialback for name in one.domains]
    if names:
        # All other partners need a valid certificate.
        content["acl"]["sfb_xmpp_dialback"] = {"server": names}
        content["access_rules"]["sfb_xmpp_dialback"] = [{"allow": "sfb_xmpp_dialback"}]
        content["modules"] = {"mod_s2s_dialback": {"access": "sfb_xmpp_dialback"}}
    lines = [_HOW % {"mark": "#", "use": use}]
    lines += [
        "# Encryption is not enforced for %s: ejabberd has one switch for all.\n" % name for name in partners.loose
    ]
    lines += ["# Left out: %s\n" % text for text in partners.left_out]
    return "".join(lines) + inventory_text(content).removeprefix("---\n")


# Prosody has no list of partners without this module.
_MODULE = """-- Only partners can connect to this server, with their own settings. Written by sfb.xmpp.migration.
-- GNU General Public License v3.0-or-later (see https://www.gnu.org/licenses/gpl-3.0.txt)
local st = require "util.stanza";

local partners = module:get_option("sfb_xmpp_partners", {});

-- Messages of our users.
module:hook("route/remote", function (event)
    if partners[event.to_host] then
        return;
    end
    if event.stanza.attr.type ~= "error" then
        module:send(st.error_reply(event.stanza, "cancel", "not-allowed", "This domain is not a partner"));
    end
    return true;
end, 100);

-- The server of a partner is authenticated with its certificate or with dialback, in either direction.
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
