# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the connection's options to the parameters of a PowerShell remoting session.

This code is pure. The code uses neither Ansible nor pypsrp.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field

from .._actions.plain_values import plain

# Options that identify a session: the server and the account. Hosts may share a session only if all of these options
# are equal. Timeouts and sizes are not included, because timeouts and sizes may differ from task to task.
IDENTITY = (
    "remote_addr",
    "port",
    "protocol",
    "path",
    "remote_user",
    "remote_password",
    "auth",
    "cert_validation",
    "ca_cert",
    "message_encryption",
    "proxy",
    "ignore_proxy",
    "certificate_key_pem",
    "certificate_pem",
    "certificate_key_password",
    "credssp_auth_mechanism",
    "credssp_disable_tlsv1_2",
    "credssp_minimum_version",
    "negotiate_delegate",
    "negotiate_hostname_override",
    "negotiate_send_cbt",
    "negotiate_service",
    "configuration_name",
    "no_profile",
    "modules",
)

# Options that pypsrp's WSMan accepts with the same names.
_PASSED_ON = (
    "path",
    "auth",
    "connection_timeout",
    "read_timeout",
    "operation_timeout",
    "max_envelope_size",
    "reconnection_retries",
    "proxy",
    "certificate_key_pem",
    "certificate_pem",
    "credssp_auth_mechanism",
    "credssp_disable_tlsv1_2",
    "credssp_minimum_version",
    "negotiate_delegate",
    "negotiate_hostname_override",
    "negotiate_send_cbt",
)


@dataclass(frozen=True)
class Target:
    """Hold the server of a session, and the parameters of the session.

    endpoint: the URL, for messages.
    wsman: the keyword arguments of pypsrp.wsman.WSMan. The arguments include the password, so the arguments are never
        shown.
    runspace: the keyword arguments of pypsrp.powershell.RunspacePool, without the configuration's name.
    modules: the names of PowerShell modules that are imported when the session opens.
    """

    host: str
    endpoint: str
    user: str
    auth: str
    wsman: t.Mapping[str, t.Any]
    configuration_name: str
    modules: tuple[str, ...] = ()
    runspace: t.Mapping[str, t.Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Target(%s)" % self.endpoint

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the texts that are never shown: passwords, and the password in the form of Basic authentication."""
        password = self.wsman.get("password") or ""
        basic = base64.b64encode(("%s:%s" % (self.user, password)).encode()).decode() if password else ""
        return tuple(filter(None, (password, basic, self.wsman.get("certificate_key_password"))))


def protocol_and_port(protocol: str | None, port: int | None) -> tuple[str, int]:
    """Return protocol and port: HTTPS on 5986 by default. Port 5985 alone means HTTP, as in ansible.builtin.psrp."""
    if protocol is None:
        protocol = "http" if port == 5985 else "https"
    if port is None:
        port = 5986 if protocol == "https" else 5985
    return protocol, port


def target(options: t.Mapping[str, t.Any], service: t.Callable[[], str] = lambda: "WSMAN") -> Target:
    """Return the target of the connection's options.

    service: returns the service of Kerberos if no option names the service.
    """
    values = {name: plain(value) for name, value in options.items()}
    protocol, port = protocol_and_port(values["protocol"], values["port"])
    host = values["remote_addr"]
    wsman = {name: values[name] for name in _PASSED_ON}
    wsman.update(
        server=host,
        port=port,
        ssl=protocol == "https",
        username=values["remote_user"],
        password=values["remote_password"],
        encryption=values["message_encryption"],
        no_proxy=values["ignore_proxy"],
        negotiate_service=values["negotiate_service"] or service(),
        reconnection_backoff=float(values["reconnection_backoff"]),
        cert_validation=values["cert_validation"] != "ignore" and (values["ca_cert"] or True),
    )
    if values["certificate_key_password"]:  # Older versions of pypsrp do not accept this argument.
        wsman["certificate_key_password"] = values["certificate_key_password"]
    return Target(
        host=host,
        endpoint="%s://%s:%d/%s" % (protocol, "[%s]" % host if ":" in host else host, port, values["path"].lstrip("/")),
        user=values["remote_user"] or "",
        auth=values["auth"],
        wsman=wsman,
        configuration_name=values["configuration_name"],
        modules=tuple(values["modules"] or ()),
        runspace={"no_profile": True} if values["no_profile"] else {},
    )


def identity(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the values that must be equal to share a session. Never show these values: they include the password."""
    values = {name: plain(options[name]) for name in IDENTITY}
    values["protocol"], values["port"] = protocol_and_port(values["protocol"], values["port"])
    values["path"] = values["path"].lstrip("/")
    return values


def differences(one: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any]) -> list[str]:
    """Return the names of the options that differ between two identities, never their values."""
    return [name for name in IDENTITY if one[name] != other[name]]


def through_proxy(goal: Target) -> bool:
    """Return whether a proxy is used, according to the options or the environment."""
    # The import is late, because few runs need the library.
    from requests.utils import get_environ_proxies, select_proxy

    if goal.wsman["proxy"] or goal.wsman["no_proxy"]:
        return bool(goal.wsman["proxy"])
    return bool(select_proxy(goal.endpoint, get_environ_proxies(goal.endpoint, no_proxy=None)))
