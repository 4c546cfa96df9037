# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to a host with one remote-shell session for a whole play.

The same class works in two processes. In a worker of Ansible, the class runs the modules on the controller. In the
daemon (one for each host and play), the class keeps the session and answers ``invoke``.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: management_shell
author:
  - the sfb.xmpp authors (!UNKNOWN)
short_description: Keep one remote management shell of Lync Server or Skype for Business Server open in a play
version_added: 0.1.0
description:
  - Opens one PowerShell remoting session per host and play, and keeps it open between the tasks. Opening a session and
    importing the server's module takes far longer than the cmdlets themselves.
  - The modules of this collection run on the controller and send their cmdlets to the session. Cmdlets are sent as
    structured calls with typed parameters. No script text is sent to a server.
  - All options of P(ansible.builtin.psrp#connection) exist here with the same names, variables, defaults and meanings.
    An inventory for that connection works unchanged.
  - If a session is lost, it is opened again. An interrupted call is sent again only if it was certainly not executed,
    or if it only reads. An interrupted write is reported as unknown. The modules then read the objects again to find
    out which changes took effect.
  - In a run, the first login with an account and its password is made alone. The other logins follow when it is
    accepted. If the login is refused, the same password is not tried on another host of the run. So the account is not
    locked. Logins to the remote shell and to WinRM are counted separately, because WinRM refuses accounts that are not
    local administrators.
  - This connection cannot run other modules on the server, run commands, or transfer files. Use
    P(ansible.builtin.psrp#connection) for such tasks. Both connections use the same variables.
  - Two inventory hosts with the same address, port, path, and user share one session. If another option of the session
    differs, the second host is refused. The message names both hosts.
requirements:
  - pypsrp >= 0.8.1, < 1.0.0 (Python library, with its extras C(kerberos) or C(credssp) for these methods)
notes:
  - C(become) is refused, because it has no meaning here. The session belongs to the account in O(remote_user).
  - This connection does not gather facts. Set C(gather_facts=false) in plays that use it.
  - Use C(meta=reset_connection) to get a new session within a play. If the connection options of a host change within a
    play, the host gets a new session automatically.
options:
  # the server
  remote_addr:
    description:
      - The name or address of the server.
      - Kerberos and the check of the server's certificate need the server's name, not its IP address.
      - For a Front End, use the name of one server, not of the pool. A load balancer breaks the session.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_psrp_host
  remote_user:
    description:
      - The account to log in with, as C(user@REALM) or C(DOMAIN\user).
    type: str
    vars:
      - name: ansible_user
      - name: ansible_psrp_user
    keyword:
      - name: remote_user
  remote_password:
    description:
      - The password of O(remote_user).
      - Kerberos does not need it if you have a ticket.
    type: str
    vars:
      - name: ansible_password
      - name: ansible_winrm_pass
      - name: ansible_winrm_password
    aliases:
      - password
  port:
    description:
      - The TCP port of the server.
      - By default V(5985) if O(protocol=http), otherwise V(5986).
      - C(OcsPowershell) of a Front End listens on port V(443).
    type: int
    vars:
      - name: ansible_port
      - name: ansible_psrp_port
    keyword:
      - name: port
  protocol:
    description:
      - The protocol, HTTP or HTTPS.
      - By default V(http) if O(port=5985), otherwise V(https).
    type: str
    choices:
      - http
      - https
    vars:
      - name: ansible_psrp_protocol
  path:
    description:
      - The path of the endpoint's URL.
      - Use V(OcsPowershell) for a Front End, and V(wsman) for the WinRM service of an Edge server.
    type: str
    default: wsman
    vars:
      - name: ansible_psrp_path
  configuration_name:
    description:
      - The PowerShell session configuration to connect to.
    type: str
    default: Microsoft.PowerShell
    vars:
      - name: ansible_psrp_configuration_name
  modules:
    description:
      - The PowerShell modules to import when a session opens.
      - An Edge needs V(SkypeForBusiness) (Skype for Business Server 2015) or V(Lync) (Lync Server 2013).
        C(OcsPowershell) of a Front End has its cmdlets already, and needs no modules.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: list
    elements: str
    default: []
    vars:
      # A playbook of this collection sets the first one as its default. The last variable that is set is used.
      - name: xmpp_federation_modules
      - name: ansible_management_shell_modules

  # authentication
  auth:
    description:
      - The method of authentication.
      - V(negotiate) tries Kerberos, then NTLM if Kerberos is not available.
      - V(basic) sends the password itself. Only TLS protects it, and servers normally refuse this method.
      - V(certificate) needs O(certificate_pem) and O(certificate_key_pem).
    type: str
    choices:
      - basic
      - certificate
      - negotiate
      - kerberos
      - ntlm
      - credssp
    default: negotiate
    vars:
      - name: ansible_psrp_auth
  certificate_key_pem:
    description:
      - Path of the PEM file with the private key for O(auth=certificate), on the controller.
    type: path
    vars:
      - name: ansible_psrp_certificate_key_pem
  certificate_pem:
    description:
      - Path of the PEM file with the certificate for O(auth=certificate), on the controller.
    type: path
    vars:
      - name: ansible_psrp_certificate_pem
  certificate_key_password:
    description:
      - The password of O(certificate_key_pem), if the key has one.
      - It needs pypsrp 0.9.0 or later.
    type: str
    vars:
      - name: ansible_psrp_certificate_key_password
  credssp_auth_mechanism:
    description:
      - The method that O(auth=credssp) uses inside. V(auto) prefers Kerberos to NTLM.
    type: str
    choices:
      - auto
      - kerberos
      - ntlm
    default: auto
    vars:
      - name: ansible_psrp_credssp_auth_mechanism
  credssp_disable_tlsv1_2:
    description:
      - Whether O(auth=credssp) does not use TLS 1.2 in its own channel. Set it only for servers that do not support TLS
        1.2.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_credssp_disable_tlsv1_2
  credssp_minimum_version:
    description:
      - The lowest protocol version of the server that O(auth=credssp) accepts.
      - V(5) and later are not vulnerable to CVE-2018-0886.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_credssp_minimum_version
  negotiate_delegate:
    description:
      - Whether the server may use the credentials to log in to other servers. It works only with Kerberos.
    type: bool
    vars:
      - name: ansible_psrp_negotiate_delegate
  negotiate_hostname_override:
    description:
      - The server's name in Kerberos, if it differs from O(remote_addr). Set it if O(remote_addr) is an IP address.
    type: str
    vars:
      - name: ansible_psrp_negotiate_hostname_override
  negotiate_send_cbt:
    description:
      - Whether to bind the authentication to the TLS channel. Then an attacker cannot relay it. It works only with
        HTTPS.
    type: bool
    default: true
    vars:
      - name: ansible_psrp_negotiate_send_cbt
  negotiate_service:
    description:
      - The service part of the server's principal name in Kerberos.
      - C(OcsPowershell) of a Front End normally needs V(HTTP).
      - The default is that of P(ansible.builtin.psrp#connection) in the installed ansible-core. It is V(WSMAN) before
        ansible-core 2.21 and V(host) from 2.21 on.
    type: str
    vars:
      - name: ansible_psrp_negotiate_service

  # protection of the messages
  cert_validation:
    description:
      - Whether to check the server's certificate. With V(ignore), an attacker on the network can read and change
        everything.
    type: str
    choices:
      - validate
      - ignore
    default: validate
    vars:
      - name: ansible_psrp_cert_validation
  ca_cert:
    description:
      - The path of a PEM file with the certificates of the authorities that may have issued the server's certificate.
      - By default the authorities that the Python library C(requests) trusts.
      - It has no effect with O(cert_validation=ignore).
    type: path
    vars:
      - name: ansible_psrp_cert_trust_path
      - name: ansible_psrp_ca_cert
    aliases:
      - cert_trust_path
  message_encryption:
    description:
      - Whether to encrypt the messages with the keys of the authentication, independently of TLS.
      - V(auto) encrypts over HTTP. V(always) also encrypts over HTTPS. V(never) does not encrypt, so over HTTP
        everything is readable on the network.
      - It works with O(auth=negotiate), O(auth=kerberos), O(auth=ntlm), and O(auth=credssp).
      - If messages over HTTP are not encrypted, the run warns at its beginning.
    type: str
    choices:
      - auto
      - always
      - never
    default: auto
    vars:
      - name: ansible_psrp_message_encryption
  allow_plaintext:
    description:
      - Whether O(auth=basic) may send the password over HTTP without encryption. By default the password is not sent in
        this case.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: bool
    default: false
    vars:
      - name: ansible_management_shell_allow_plaintext
  proxy:
    description:
      - The URL of the HTTP proxy to use.
    type: str
    vars:
      - name: ansible_psrp_proxy
  ignore_proxy:
    description:
      - Whether to ignore the proxy of the environment variables. It has no effect if O(proxy) is set.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_ignore_proxy

  no_profile:
    description:
      - Whether to skip the PowerShell profile of O(remote_user). C(OcsPowershell) of a Front End has no profile.
      - It needs pypsrp 0.9.0 or later.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_no_profile

  # limits
  persistent_connect_timeout:
    description:
      - The seconds after which an unused session is closed.
      - Do not confuse it with O(connection_timeout).
      - The default is longer than that of other persistent connections, because opening a session takes long.
    type: int
    default: 1800
    ini:
      - section: persistent_connection
        key: connect_timeout
    env:
      - name: ANSIBLE_PERSISTENT_CONNECT_TIMEOUT
    vars:
      - name: ansible_connect_timeout
  persistent_command_timeout:
    description:
      - The maximum time for all statements of a module together, in seconds. After that time the session is closed, and
        it is unknown which of the writes took effect.
      - The default is longer than that of other persistent connections. Importing a module, restarting services and
        replication take minutes.
    type: int
    default: 600
    ini:
      - section: persistent_connection
        key: command_timeout
    env:
      - name: ANSIBLE_PERSISTENT_COMMAND_TIMEOUT
    vars:
      - name: ansible_command_timeout
  users_timeout:
    description:
      - The maximum time for reading all users, in seconds. Many users take a long time. It replaces
        O(persistent_command_timeout), unless O(persistent_command_timeout) is longer.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: int
    default: 3600
    vars:
      - name: ansible_management_shell_users_timeout
  persistent_log_messages:
    description:
      - Whether to write every cmdlet with its parameters, and the server's errors, to the file in
        E(ANSIBLE_LOG_PATH).
      - Unlike other persistent connections, secrets are masked. The options of the connection and the returned objects
        are not written.
    type: bool
    default: false
    ini:
      - section: persistent_connection
        key: log_messages
    env:
      - name: ANSIBLE_PERSISTENT_LOG_MESSAGES
    vars:
      - name: ansible_persistent_log_messages
  connection_timeout:
    description:
      - The seconds to wait until the server accepts a network connection and completes the TLS handshake.
      - In the playbooks and roles of this collection the default is 5. A host that cannot be reached must not delay a
        run.
      - Do not confuse it with O(persistent_connect_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_connection_timeout
  read_timeout:
    description:
      - The seconds to wait for the server's answer to one request.
      - It must be larger than O(operation_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_read_timeout
  operation_timeout:
    description:
      - The seconds after which the server answers a request even if it has no result yet. The server is then asked
        again, so a cmdlet may take longer. O(persistent_command_timeout) is the limit for a cmdlet.
    type: int
    default: 20
    vars:
      - name: ansible_psrp_operation_timeout
  reconnection_retries:
    description:
      - How often to retry if no network connection can be made.
    type: int
    default: 0
    vars:
      - name: ansible_psrp_reconnection_retries
  reconnection_backoff:
    description:
      - The seconds to wait before the first of O(reconnection_retries). The time doubles with each retry.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_connection_backoff
      - name: ansible_psrp_reconnection_backoff
  pipelining:
    description:
      - Whether modules are piped into Python on the controller. Otherwise they are written to temporary files there,
        with their arguments and secrets. Pipelining is faster, and nothing is written to a disk.
      - Tasks with C(async) are always written to files, which only the controller's user can read.
      - The default is V(true), unlike that of P(ansible.builtin.psrp#connection). Elsewhere pipelining may conflict
        with become, which does not exist here.
    type: bool
    default: true
    ini:
      - section: defaults
        key: pipelining
      - section: connection
        key: pipelining
    env:
      - name: ANSIBLE_PIPELINING
    vars:
      - name: ansible_pipelining
  direct:
    description:
      - Whether the modules of this collection work in Ansible's own process, over the open session. This saves two
        processes for each task, which take longer than the work. The results are the same.
      - Tasks with C(async) or C(environment) always run as ordinary modules. All tasks run as ordinary modules if
        ansible-core lacks an internal function that is needed.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: bool
    default: true
    env:
      - name: ANSIBLE_MANAGEMENT_SHELL_DIRECT
    vars:
      - name: ansible_management_shell_direct
  deployment:
    description:
      - The deployment that the host belongs to. Hosts of one deployment share a Central Management Store.
      - Plan files, snapshots and locks have its name.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: str
    default: default
    vars:
      - name: sfb_xmpp_deployment
  playbook:
    description:
      - The playbook or role of this collection that runs. The playbook or role sets it. Then messages name the
        variables of the inventory or the parameters of the role, not the options of a module.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: str
    default: ''
    vars:
      # The last variable that is set is used, because a playbook of this collection can run a role.
      - name: xmpp_federation_role
      - name: xmpp_federation_playbook
  max_envelope_size:
    description:
      - The largest message to send, in bytes. Larger messages are sent in parts.
      - The default is for old servers. If the server allows more, 500 KiB are used.
    type: int
    default: 153600
    vars:
      - name: ansible_psrp_max_envelope_size
"""

import logging
import os
import re
import shutil
import signal
import sys
import threading
import time
import traceback
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.connection import ConnectionError  # noqa: A004 - Ansible's own name for it
from ansible.playbook.play_context import PlayContext
from ansible.plugins.become import BecomeBase
from ansible.plugins.connection import NetworkConnectionBase
from ansible.plugins.loader import connection_loader, get_shell_plugin
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ..module_utils._shell.session import code_of
from ..module_utils._shell.statement import Answer, Place, Statement
from ..plugin_utils._psrp.mask import Mask
from ..plugin_utils._psrp.options import differences, identity, target
from ..plugin_utils._psrp.session import FAREWELL, PsrpSession, SessionError

display = Display()

# Actions for the server that run on the controller with this connection. The names of actions are compared without the
# collection's name.
_RUN = ("command", "expect", "raw", "reboot", "script", "shell", "gather_facts", "setup")
_TRANSFER = ("assemble", "copy", "fetch", "slurp", "template", "unarchive")
_WINDOWS_COLLECTIONS = frozenset(("ansible.windows", "community.windows", "microsoft.ad", "microsoft.iis"))

_UNCHECKED = (
    "host '%s': the server's certificate is not checked (ansible_psrp_cert_validation: ignore). An attacker on the"
    " network can read and change everything, also the password. Set ansible_psrp_ca_cert to the PEM file of the CA"
    " that issued the certificate, and ansible_psrp_cert_validation to validate"
)

_CLEAR = (
    "host '%s': nothing is encrypted (HTTP with ansible_psrp_message_encryption: never). An attacker on the network can"
    " read and change everything. Use HTTPS, or keep message encryption on"
)
_CLEAR_LOGIN = (
    "host '%s': Basic authentication over HTTP would send the password without encryption, so nothing is sent. Set"
    " ansible_psrp_protocol: https, or another ansible_psrp_auth. To send it anyway, set"
    " ansible_management_shell_allow_plaintext: true"
)

_LOG = "persistent_log_messages"
_NAME = "_inventory_name"
# The directory of the run. Ansible's main process makes and removes this directory. The daemon has another directory.
_RUN_DIRECTORY = "_run_directory"
# Seconds to connect, including TLS, in a playbook of the collection if the user sets no time. A host that cannot be
# reached must not delay a run.
_CONNECT_IN_PLAYBOOKS = 5
# Seconds between two checks whether the playbook's process still exists.
_LOOK = 1


def _core_service() -> str:
    """Return the default service name of ansible.builtin.psrp, which depends on ansible-core."""
    from ansible.module_utils.common.yaml import yaml_load
    from ansible.plugins.connection import psrp

    return str(yaml_load(psrp.DOCUMENTATION)["options"]["negotiate_service"]["default"])


def _check_socket_directory(directory: str) -> None:
    """Raise AnsibleError if the path of the daemon's socket is longer than the operating system allows.

    Ansible appends a name of ten characters to the directory. The path has at most 107 bytes on Linux (unix(7)), 103 on
    macOS and BSD (unix(4)).
    """
    longest = 107 if sys.platform.startswith("linux") else 103
    length = len(os.fsencode(unfrackpath(directory))) + 11
    if length > longest:
        raise AnsibleError(
            "the path of the session's socket in '%s' is too long: it has %d bytes, and the maximum is %d. Set"
            " ANSIBLE_PERSISTENT_CONTROL_PATH_DIR (control_path_dir below [persistent_connection] in ansible.cfg) to a"
            " shorter directory that belongs to you, such as /tmp/ansible-pc" % (directory, length, longest)
        )


def remove_leftovers(directory: Path, playbook: int) -> None:
    """Remove the packed modules of a killed playbook from Ansible's directory for temporary files.

    The name of a playbook's directory has its process id. A playbook that ends normally removes the directory itself.

    directory: Ansible's directory for temporary files.
    playbook: the process id of the playbook.
    """
    name = re.compile("ansible-local-%d[a-z0-9_]{8}" % playbook)  # the form of tempfile.mkdtemp
    for path in directory.glob("ansible-local-%d*" % playbook):
        if name.fullmatch(path.name) and path.lstat().st_uid == os.getuid() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


class Connection(NetworkConnectionBase):
    """Implement the connection that DOCUMENTATION describes."""

    transport = "sfb.xmpp.management_shell"
    # With True, Ansible starts or notifies the daemon before each task. Tasks that run directly start the daemon
    # themselves.
    force_persistence = True
    has_pipelining = True

    def __init__(self, play_context: PlayContext, *args: t.Any, **kwargs: t.Any) -> None:
        # The shell that starts modules on the controller. The server's shell in the inventory does not matter.
        kwargs["shell"] = get_shell_plugin(shell_type="sh", executable="/bin/sh")
        super().__init__(play_context, *args, **kwargs)
        # No plugin is below this plugin. ansible-core 2.16 searches a lower plugin's class unless the type is external.
        self._sub_plugin = {"type": "external"}
        self._in_daemon = False
        self._name = ""
        self._action = ""
        self._run_directory = ""
        self._sets_timeout = False  # whether the inventory sets the time to connect
        self._identity: dict[str, t.Any] = {}
        self._conflict = ""
        self._session: PsrpSession | None = None
        # One mask for all sessions, so that a secret of one session cannot appear through the next session.
        self._mask = Mask()
        self._busy = False
        self._watcher: threading.Thread | None = None

    # In the worker and in the daemon: options

    def set_options(
        self,
        task_keys: dict[str, t.Any] | None = None,
        var_options: dict[str, t.Any] | None = None,
        direct: dict[str, t.Any] | None = None,
    ) -> None:
        before = self._options
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if direct is None:
            task = task_keys or {}
            self._name = str(task.get("delegate_to") or (var_options or {}).get("inventory_hostname") or "")
            self._action = str(task.get("action") or "")
            self._sets_timeout = "ansible_psrp_connection_timeout" in (var_options or {})
            # Ansible names the daemon's socket by address, port and user. Two endpoints of a server need two sessions.
            self._play_context.remote_user = "%s %s" % (self._options.get("remote_user"), self._options.get("path"))
            self.force_persistence = not self._runs_directly(task)
            _check_socket_directory(str(t.cast(t.Any, constants).PERSISTENT_CONTROL_PATH_DIR))
            return
        # In the daemon: Ansible passes the options once at its start, and again for every task.
        self._in_daemon = True
        self._run_directory = str(direct.get(_RUN_DIRECTORY) or "")
        name = str(direct.get(_NAME) or direct.get("remote_addr"))
        wanted = identity(self._options)
        different = differences(self._identity, wanted) if self._identity else []
        if different and name != self._name:
            self._options = before
            self._conflict = self._refusal(name, different)
            return
        if different:
            self._end_session()  # The host's own settings have changed within the play.
        if different or not self._identity:
            self._identity, self._name = wanted, name
            if wanted["cert_validation"] == "ignore" and wanted["protocol"] == "https":
                self.queue_message("warning", _UNCHECKED % name)
            if self._in_clear(wanted):
                self.queue_message("warning", _CLEAR % name)
        self._watch()

    @staticmethod
    def _in_clear(values: t.Mapping[str, t.Any]) -> bool:
        """Return whether messages have no encryption, by TLS or by the authentication (Basic cannot encrypt)."""
        never = values["message_encryption"] == "never" or values["auth"] in ("basic", "certificate")
        return values["protocol"] == "http" and never

    def _watch(self) -> None:
        """Watch the playbook as soon as the daemon has the password, with or without a session."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch_playbook, daemon=True)
            self._watcher.start()

    def _runs_directly(self, task: t.Mapping[str, t.Any]) -> bool:
        """Return whether the task is a task of this collection that works in the worker (_actions/in_process.py)."""
        if not self._action.startswith("sfb.xmpp.") or task.get("async_val") or any(task.get("environment") or ()):
            return False
        if not self._options.get("direct"):
            return False
        # The import is in the function, because the daemon does not need the module.
        from ..plugin_utils._actions import in_process

        return in_process.possible()

    def socket_for(self, context: PlayContext) -> str:
        """Return, in the worker, the path of the daemon's socket for this play context. The daemon may not exist."""
        names = (context.remote_addr, context.port, context.remote_user, context.connection)
        ssh: t.Any = connection_loader.get("ssh", class_only=True)
        control_path = ssh._create_control_path(*names, self._ansible_playbook_pid)
        directory = unfrackpath(str(vars(constants)["PERSISTENT_CONTROL_PATH_DIR"]))
        return str(unfrackpath(control_path % {"directory": directory}))

    def _refusal(self, name: str, different: list[str]) -> str:
        return (
            "hosts '%s' and '%s' have the same address, port, path and user, so they share one session. But they differ"
            " in %s, so host '%s' is refused. Set another name of the server as ansible_host of one host, or use the"
            " hosts in separate runs" % (self._name, name, ", ".join(different), name)
        )

    def get_option(self, option: str, hostvars: dict[str, object] | None = None) -> t.Any:
        # With this option on, Ansible's daemon writes every request unchanged, with passwords. The connection
        # writes its own record instead, see _record.
        if option == _LOG:
            return False
        return super().get_option(option, hostvars=hostvars)  # type: ignore[no-untyped-call]

    def get_options(self, hostvars: dict[str, object] | None = None) -> dict[str, t.Any]:
        """Return the options that Ansible passes to the daemon."""
        options: dict[str, t.Any] = super().get_options(hostvars=hostvars)  # type: ignore[no-untyped-call]
        options[_LOG] = super().get_option(_LOG, hostvars=hostvars)  # type: ignore[no-untyped-call]
        options[_NAME] = self._name
        options[_RUN_DIRECTORY] = str(vars(constants)["DEFAULT_LOCAL_TMP"])
        if options.get("playbook") and not self._sets_timeout:
            options["connection_timeout"] = _CONNECT_IN_PLAYBOOKS
        return options

    # In the daemon: called over the socket

    def update_play_context(self, data: str) -> None:
        """Refuse a host if needed. Ansible calls this method after setting a task's options, under the same lock."""
        conflict, self._conflict = self._conflict, ""
        if conflict:
            raise ConnectionError(conflict)

    def adopt(self, options: dict[str, t.Any]) -> list[tuple[str, str]]:
        """Set the options for a task that runs directly, and return the collected messages.

        The method does set_options and update_play_context in one call, so that no other host's call interferes.
        Raises ConnectionError to refuse a host.
        """
        others, self._conflict = self._conflict, ""
        try:
            self.set_options(direct=options)
            self.update_play_context("")
        finally:
            self._conflict = others
        return self.pop_messages()

    def invoke(self, statements: list[dict[str, t.Any]]) -> dict[str, t.Any]:
        """Run encoded statements (``Statement.encode``) in the host's session, and return an encoded ``Answer``.

        Raises ConnectionError if nothing was executed, because no session could be opened.
        """
        session = self._kept_session()
        calls = [Statement.decode(statement) for statement in statements]
        self._take_time(session, calls)
        begun = time.monotonic()
        self._busy = True
        try:
            answer = session.invoke(calls)
        except SessionError as error:
            self._record(calls, Answer(lost=str(error)), begun)
            code = code_of(error.broken)
            raise ConnectionError(str(error), **({} if code is None else {"code": code})) from None
        except Exception as error:  # noqa: BLE001 - a defect of this code, perhaps during a write
            # Only the place of the error is logged, because its text may contain a parameter.
            self.queue_message("vvv", "".join(traceback.format_tb(error.__traceback__)))
            answer = Answer(lost="the connection failed unexpectedly: %s" % type(error).__name__)
        finally:
            self._busy = False
        self._record(calls, answer, begun)
        return answer.encode()

    def capture(self, statement: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run one encoded statement that reads, and return the answer and the server's output (``Captured``, encoded).

        Raises ConnectionError if nothing was executed.
        """
        session, call = self._kept_session(), Statement.decode(statement)
        if not call.cmdlet.startswith("Get-"):
            raise ConnectionError("a capture only sends cmdlets that read, so %s is not sent" % call.cmdlet)
        begun = time.monotonic()
        with session.capturing() as output:
            answer = self.invoke([statement])
        return {
            "answer": answer,
            "output": output,
            "seconds": time.monotonic() - begun,
            "selected": session.cuts(call),
            "versions": session.versions(),
        }

    def _take_time(self, session: PsrpSession, calls: t.Sequence[Statement]) -> None:
        """Set the time limit of the call. For long calls, also delay Ansible's alarm, which is already set."""
        session.limit = float(self._options["persistent_command_timeout"])
        longer = int(self._options["users_timeout"])
        if any(call.long for call in calls) and longer > session.limit:
            session.limit = float(longer)
            if threading.current_thread() is threading.main_thread():
                signal.alarm(longer)

    def place(self) -> dict[str, str]:
        """Return the place of the session (``Place.as_dict``). The method opens no session."""
        return Place(
            host=self._name,
            deployment=str(self._options.get("deployment") or "default"),
            account=str(self._options.get("remote_user") or ""),
            home=str(constants.config.get_config_value("ANSIBLE_HOME")),
            playbook=str(self._options.get("playbook") or ""),
        ).as_dict()

    def _kept_session(self) -> PsrpSession:
        """Return the session of the host. The session opens at its first use."""
        if not self._in_daemon:
            raise AnsibleError("another process keeps the session. Use the connection's socket")
        if self._session is None:
            # If debugging is on and a log file is set, these libraries write requests to the log file.
            for name in ("pypsrp", "spnego", "requests_credssp", "urllib3"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            here = identity(self._options)
            if here["auth"] == "basic" and self._in_clear(here) and not self._options.get("allow_plaintext"):
                raise ConnectionError(_CLEAR_LOGIN % self._name)
            where = target(self._options, _core_service)
            directory = self._run_directory if os.path.isdir(self._run_directory) else ""
            self._session = PsrpSession(where, self._note, self._mask, directory)
        return self._session

    def _connect(self) -> Connection:
        self._kept_session()
        return self

    def close(self) -> None:
        self._end_session()
        super().close()

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _watch_playbook(self) -> None:
        """End the daemon and the daemon's session when the playbook's process has ended.

        At the end of a play, Ansible ends only the daemons that a task reported. Ansible does not end the daemons of
        hosts that are only targets of delegation. If Ansible was killed, no daemon ends. Such daemons stay until
        the idle timeout, which is long.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, signal.SIGTERM))  # for the main thread
        playbook = int(self._ansible_playbook_pid or 0)
        while playbook:
            time.sleep(_LOOK)
            try:
                os.kill(playbook, 0)
            except ProcessLookupError:
                if not self._busy:  # An asynchronous task may still work.
                    remove_leftovers(Path(vars(constants)["DEFAULT_LOCAL_TMP"]).parent, playbook)
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(3 * FAREWELL)

    def _note(self, text: str) -> None:
        self.queue_message("vvv", text)
        if self._options.get(_LOG):
            display.display("management_shell %s: %s" % (self._name, text), log_only=True)

    def _record(self, calls: list[Statement], answer: Answer, begun: float) -> None:
        if not self._options.get(_LOG):
            return
        lines = ["%(cmdlet)s %(parameters)s" % call.shown() for call in calls]
        lines.append("%d objects in %.3f s" % (len(answer.output), time.monotonic() - begun))
        lines.extend("error: %s (%s, %s)" % (error.message, error.error_id, error.cmdlet) for error in answer.errors)
        lines.extend("warning: %s" % warning for warning in answer.warnings)
        if answer.lost:
            lines.append("lost: %s" % answer.lost)
        for line in lines:
            display.display("management_shell %s: %s" % (self._name, self._mask(line)), log_only=True)

    # In the worker: the methods that run a module on the controller, and the refusals

    def set_become_plugin(self, plugin: BecomeBase | None) -> None:
        if plugin is not None:
            raise AnsibleError(
                "become is not possible over %s, because the session belongs to the account in ansible_user. Set"
                " 'become: false' (ansible_become: false), and use an account with the required rights" % self.transport
            )
        super().set_become_plugin(plugin)  # type: ignore[arg-type] # None is what Ansible passes otherwise

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self._refuse("run commands")
        return super().exec_command(cmd, in_data, sudoable)

    def put_file(self, in_path: str, out_path: str) -> None:
        self._refuse("transfer files")
        super().put_file(in_path, out_path)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        self._refuse("transfer files")
        super().fetch_file(in_path, out_path)

    def _refuse(self, what: str) -> None:
        """Refuse a task that is meant for the server, because these methods work on the controller."""
        collection, _dot, name = self._action.rpartition(".")
        foreign = name.startswith("win_") or collection in _WINDOWS_COLLECTIONS
        builtin = collection in ("", "ansible.builtin", "ansible.legacy") and name in (*_RUN, *_TRANSFER)
        if self._in_daemon or foreign or builtin:
            raise AnsibleError(
                "%s only sends cmdlets of the management shell. It cannot %s, and cannot run %s on the server. For such"
                " tasks, set 'ansible_connection: ansible.builtin.psrp', which uses the same variables. For a task on"
                " the controller, set 'ansible_connection: local'. To skip facts, set 'gather_facts: false'"
                % (self.transport, what, "'%s'" % self._action if self._action else "modules")
            )
