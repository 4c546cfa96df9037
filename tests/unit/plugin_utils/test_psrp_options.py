# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the connection's options to a target: defaults, plain values, what makes two hosts differ."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.plain_values import plain
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import (
    IDENTITY,
    differences,
    identity,
    protocol_and_port,
    target,
)

OPTIONS: dict[str, t.Any] = {
    "remote_addr": "fe01.contoso.example",
    "remote_user": "CONTOSO\\admin",
    "remote_password": "not-to-be-seen",
    "port": None,
    "protocol": None,
    "path": "wsman",
    "configuration_name": "Microsoft.PowerShell",
    "modules": [],
    "auth": "negotiate",
    "cert_validation": "validate",
    "ca_cert": None,
    "message_encryption": "auto",
    "proxy": None,
    "ignore_proxy": False,
    "certificate_key_pem": None,
    "certificate_pem": None,
    "certificate_key_password": None,
    "no_profile": False,
    "credssp_auth_mechanism": "auto",
    "credssp_disable_tlsv1_2": False,
    "credssp_minimum_version": 2,
    "negotiate_delegate": None,
    "negotiate_hostname_override": None,
    "negotiate_send_cbt": True,
    "negotiate_service": "WSMAN",
    "connection_timeout": 30,
    "read_timeout": 30,
    "operation_timeout": 20,
    "max_envelope_size": 153600,
    "reconnection_retries": 0,
    "reconnection_backoff": 2,
}


class Tagged(str):
    """As ansible-core 2.19 has them: a text with something attached."""


class TaggedInt(int):
    pass


@pytest.mark.parametrize(
    ("protocol", "port", "expected"),
    [
        (None, None, ("https", 5986)),
        (None, 5985, ("http", 5985)),
        (None, 5986, ("https", 5986)),
        (None, 443, ("https", 443)),
        (None, 80, ("https", 80)),
        ("http", None, ("http", 5985)),
        ("https", None, ("https", 5986)),
        ("https", 5985, ("https", 5985)),
        ("http", 5986, ("http", 5986)),
    ],
)
def test_protocol_and_port_default_to_each_other(
    protocol: str | None, port: int | None, expected: tuple[str, int]
) -> None:
    assert protocol_and_port(protocol, port) == expected


@pytest.mark.parametrize(
    ("validation", "ca", "expected"),
    [("validate", None, True), ("validate", "/a.pem", "/a.pem"), ("ignore", None, False), ("ignore", "/a.pem", False)],
)
def test_certificates_are_checked_unless_told_otherwise(validation: str, ca: str | None, expected: object) -> None:
    made = target({**OPTIONS, "cert_validation": validation, "ca_cert": ca})
    assert made.wsman["cert_validation"] == expected


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({}, "https://fe01.contoso.example:5986/wsman"),
        ({"path": "/OcsPowershell", "port": 443}, "https://fe01.contoso.example:443/OcsPowershell"),
        ({"remote_addr": "fd00::10", "port": 5985}, "http://[fd00::10]:5985/wsman"),
    ],
)
def test_endpoint(changes: dict[str, t.Any], endpoint: str) -> None:
    assert target({**OPTIONS, **changes}).endpoint == endpoint


def test_pypsrp_takes_every_argument() -> None:
    from pypsrp.wsman import WSMan

    made = target({**OPTIONS, "path": "OcsPowershell", "port": 443, "negotiate_service": "HTTP", "read_timeout": 77})
    transport: t.Any = WSMan(**made.wsman).transport
    assert transport.endpoint == made.endpoint
    assert (transport.username, transport.password) == ("CONTOSO\\admin", "not-to-be-seen")
    assert (transport.negotiate_service, transport.read_timeout) == ("HTTP", 77)


def test_values_become_plain_builtins() -> None:
    tagged = {**OPTIONS, "remote_addr": Tagged("fe01"), "port": TaggedInt(443), "modules": [Tagged("Lync")]}
    made = target(tagged)
    assert {value.__class__ for value in (made.wsman["server"], made.modules[0], made.host)} == {str}
    assert made.wsman["port"].__class__ is int
    assert plain([Tagged("a"), TaggedInt(1), True, None, 1.5]) == ["a", 1, True, None, 1.5]


def test_a_target_does_not_show_its_password_but_names_its_secrets() -> None:
    made = target({**OPTIONS, "certificate_key_password": "nor-this"})
    assert "not-to-be-seen" not in repr(made)
    basic = base64.b64encode(b"CONTOSO\\admin:not-to-be-seen").decode()
    assert made.secrets == ("not-to-be-seen", basic, "nor-this")
    assert target({**OPTIONS, "remote_password": None}).secrets == ()


def test_options_that_old_versions_of_pypsrp_do_not_take_are_passed_only_where_set() -> None:
    made = target(OPTIONS)
    assert "certificate_key_password" not in made.wsman
    assert made.runspace == {}
    made = target({**OPTIONS, "certificate_key_password": "x", "no_profile": True})
    assert made.wsman["certificate_key_password"] == "x"
    assert made.runspace == {"no_profile": True}


def test_the_service_is_that_of_the_core_unless_it_is_set() -> None:
    assert target({**OPTIONS, "negotiate_service": None}, lambda: "host").wsman["negotiate_service"] == "host"
    assert target({**OPTIONS, "negotiate_service": "HTTP"}, lambda: "host").wsman["negotiate_service"] == "HTTP"


@pytest.mark.parametrize("name", IDENTITY)
def test_any_option_of_the_identity_makes_a_difference(name: str) -> None:
    other = {"port": 444, "protocol": "http", "modules": ["Lync"], "ignore_proxy": True}.get(name, "other")
    found = differences(identity(OPTIONS), identity({**OPTIONS, name: other}))
    assert name in found
    assert "not-to-be-seen" not in repr(found)


def test_what_amounts_to_the_same_is_no_difference() -> None:
    spelt_out = {**OPTIONS, "port": 5986, "protocol": "https", "path": "/wsman", "read_timeout": 300}
    assert differences(identity(OPTIONS), identity(spelt_out)) == []
