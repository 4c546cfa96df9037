# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection plugin: one remote-shell session per host for a whole play.

The same class lives in two places. In a worker of Ansible it runs the modules on the controller. In the process
beside it (the daemon, one for a host and play) it keeps the session and answers ``invoke``.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: management_shell
author:
  - the sfb.xmpp authors (!UNKNOWN)
short_description: Keep a remote management shell of Lync Server or Skype for Business Server open for a play
version_added: 0.1.0
description:
  - Opens one PowerShell remoting session per host and play, and keeps it open between the tasks.
    Opening a session, and importing the server's module into it, takes far longer than the cmdlets themselves.
  - The modules of this collection run on the controller and hand their cmdlets to the session.
    Cmdlets travel as structured calls with typed parameters. No script text is sent to a server.
  - All options of P(ansible.builtin.psrp#connection) exist here under the same names, variables, and defaults,
    and with the same meaning. You can use the same inventory for both connections.
  - A lost session is opened again. An interrupted cmdlet is sent again only if it only reads, or if it certainly was
    not executed. An interrupted write is reported as unknown, and the modules read which changes took effect.
  - In a run, the first login with an account and its password goes alone. The other logins follow when it is accepted.
    If it is refused, the same password is not tried on another host of the run, so that the account is not locked.
    The remote shell and WinRM are separate, because WinRM also refuses good accounts that are not local administrators.
  - This connection cannot run other modules on the server, run commands, or transfer files. Use
    P(ansible.builtin.psrp#connection) for such tasks. Both connections use the same variables.
  - Two inventory hosts with the same address, port, path, and user share one session. If another option of the session
    differs, the second host is refused, and the message names both hosts.
requirements:
  - pypsrp >= 0.8.1, < 1.0.0 (Python library; for Kerberos and CredSSP with its extra C(kerberos) or C(credssp))
notes:
  - C(become) is refused, because the session belongs to the account in O(remote_user).
  - This connection cannot gather facts. Set C(gather_facts=false) in plays that use it.
  - Use C(meta=reset_connection) to get a new session within a play. If the connection options of a host change within a
    play, the host gets a new session automatically.
options:
  # where to
  remote_addr:
    description:
      - Name or address of the server.
      - Kerberos and the check of the server's certificate need the name under which the server is known.
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
      - Not necessary for Kerberos if there is a ticket.
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
      - If not set, V(5985) if O(protocol=http), otherwise V(5986).
      - C(OcsPowershell) of a Front End listens on port V(443).
    type: int
    vars:
      - name: ansible_port
      - name: ansible_psrp_port
    keyword:
      - name: port
  protocol:
    description:
      - The protocol of the connection.
      - If not set, V(http) if O(port=5985), otherwise V(https).
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
      - Names of PowerShell modules to import when a session opens.
      - An Edge server needs V(SkypeForBusiness) (Skype for Business Server 2015) or V(Lync) (Lync Server 2013).
        C(OcsPowershell) of a Front End has loaded its cmdlets and needs no modules.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: list
    elements: str
    default: []
    vars:
      # A playbook of this collection sets the first one as a default for the inventory. The last name has precedence.
      - name: xmpp_federation_modules
      - name: ansible_management_shell_modules

  # how to authenticate
  auth:
    description:
      - How to authenticate.
      - V(negotiate) tries Kerberos, and NTLM if Kerberos is not available.
      - V(basic) sends the password itself, and only TLS protects it. Most servers do not allow it.
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
      - The password of O(certificate_key_pem), if it has one.
      - Needs pypsrp 0.9.0 or later.
    type: str
    vars:
      - name: ansible_psrp_certificate_key_password
  credssp_auth_mechanism:
    description:
      - The authentication inside O(auth=credssp). V(auto) prefers Kerberos to NTLM.
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
      - Whether O(auth=credssp) does not use TLS 1.2 in its own channel. Only for servers without TLS 1.2.
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
      - Whether the server may use the credentials to log in to other servers. For Kerberos only.
    type: bool
    vars:
      - name: ansible_psrp_negotiate_delegate
  negotiate_hostname_override:
    description:
      - The server's name in Kerberos, if it differs from O(remote_addr), for example if O(remote_addr) is an IP
        address.
    type: str
    vars:
      - name: ansible_psrp_negotiate_hostname_override
  negotiate_send_cbt:
    description:
      - Whether to bind the authentication to the TLS channel, so that attackers cannot relay it. For HTTPS only.
    type: bool
    default: true
    vars:
      - name: ansible_psrp_negotiate_send_cbt
  negotiate_service:
    description:
      - The service part of the server's principal name in Kerberos.
      - C(OcsPowershell) of a Front End normally needs V(HTTP).
      - If not set, the default of P(ansible.builtin.psrp#connection) in the installed ansible-core. This is V(WSMAN)
        before ansible-core 2.21, and V(host) from 2.21 on.
    type: str
    vars:
      - name: ansible_psrp_negotiate_service

  # how to protect what is sent
  cert_validation:
    description:
      - Whether to check the server's certificate. With V(ignore), attackers in the network can read and change all
        data.
    type: str
    choices:
      - validate
      - ignore
    default: validate
    vars:
      - name: ansible_psrp_cert_validation
  ca_cert:
    description:
      - Path of a PEM file with the certificates of the authorities that may issue the server's certificate.
      - If not set, the authorities of the Python library C(requests) are used.
      - Has no effect with O(cert_validation=ignore).
    type: path
    vars:
      - name: ansible_psrp_cert_trust_path
      - name: ansible_psrp_ca_cert
    aliases:
      - cert_trust_path
  message_encryption:
    description:
      - Whether to encrypt the messages with the keys of the authentication, independently of TLS.
      - V(auto) encrypts over HTTP only. V(always) also encrypts over HTTPS. V(never) does not encrypt. Over HTTP,
        V(never) sends all data without encryption.
      - Possible with O(auth=negotiate), O(auth=kerberos), O(auth=ntlm), and O(auth=credssp).
      - Without encryption over HTTP, a run begins with a warning.
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
      - Whether O(auth=basic) may send the password over HTTP without encryption. If V(false), nothing is sent.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: bool
    default: false
    vars:
      - name: ansible_management_shell_allow_plaintext
  proxy:
    description:
      - URL of the HTTP proxy.
    type: str
    vars:
      - name: ansible_psrp_proxy
  ignore_proxy:
    description:
      - Whether to ignore the proxy of the environment variables. Has no effect if O(proxy) is set.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_ignore_proxy

  no_profile:
    description:
      - Whether not to load the PowerShell profile of O(remote_user). C(OcsPowershell) of a Front End has no profile.
      - Needs pypsrp 0.9.0 or later.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_no_profile

  # how long, how much
  persistent_connect_timeout:
    description:
      - Seconds after which an unused session is closed.
      - This is not O(connection_timeout).
      - The default is longer than for other persistent connections, because opening a session takes long.
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
      - Seconds that all statements of a module may take. After that the session is closed, and it is unknown which
        writes took effect.
      - The default is longer than for other persistent connections, because importing a module, restarting services,
        and replication take minutes.
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
      - Seconds that reading all users may take. Many users take long. This option replaces
        O(persistent_command_timeout) if it is longer.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: int
    default: 3600
    vars:
      - name: ansible_management_shell_users_timeout
  persistent_log_messages:
    description:
      - Whether to write every cmdlet with its parameters, and the server's errors, to the file in
        E(ANSIBLE_LOG_PATH).
      - Secrets are masked. In contrast to other persistent connections, the options of the connection and the objects
        of the server are not written.
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
      - Seconds to wait for the network connection and the TLS handshake.
      - In the playbooks and roles of this collection the default is 5, so that an unreachable host does not delay a
        run.
      - This is not O(persistent_connect_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_connection_timeout
  read_timeout:
    description:
      - Seconds to wait for the server's answer to one request.
      - Must be larger than O(operation_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_read_timeout
  operation_timeout:
    description:
      - Seconds after which the server answers a request even without a result. Then it is asked again, so a cmdlet may
        take longer. Its limit is O(persistent_command_timeout).
    type: int
    default: 20
    vars:
      - name: ansible_psrp_operation_timeout
  reconnection_retries:
    description:
      - How often to try again if the network connection fails.
    type: int
    default: 0
    vars:
      - name: ansible_psrp_reconnection_retries
  reconnection_backoff:
    description:
      - Seconds to wait before the first of O(reconnection_retries). The time doubles with each retry.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_connection_backoff
      - name: ansible_psrp_reconnection_backoff
  pipelining:
    description:
      - Whether modules are piped into Python on the controller. If V(false), they are written to temporary files with
        their arguments and secrets. Pipelining is faster, and does not use a disk.
      - Tasks with C(async) are always written to files, which only the controller's user can read.
      - In contrast to P(ansible.builtin.psrp#connection) the default is V(true). It cannot conflict with become,
        because become is refused.
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
      - Tasks with C(async) or C(environment) always run as ordinary modules. So do all tasks if ansible-core lacks
        one of the necessary internals.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: bool
    default: true
    env:
      - name: ANSIBLE_MANAGEMENT_SHELL_DIRECT
    vars:
      - name: ansible_management_shell_direct
  deployment:
    description:
      - The deployment of the host. All hosts of one deployment lead to the same Central Management Store.
      - Plan files, snapshots and locks have its name.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: str
    default: default
    vars:
      - name: sfb_xmpp_deployment
  playbook:
    description:
      - The running playbook or role of this collection, which sets this option itself. Then messages name the variables
        of an inventory or the parameters of the role, not the options of a module.
      - P(ansible.builtin.psrp#connection) does not have this option.
    type: str
    default: ''
    vars:
      # The last name has precedence: the playbook, also for a role that it runs.
      - name: xmpp_federation_role
      - name: xmpp_federation_playbook
  max_envelope_size:
    description:
      - The largest message to send, in bytes. Larger messages are split.
      - Old servers need the default. If the default is set and the server allows it, 500 KiB are used.
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

# Actions for the server that would run on the controller here. They are compared without their collection's name.
_RUN = ("command", "expect", "raw", "reboot", "script", "shell", "gather_facts", "setup")
_TRANSFER = ("assemble", "copy", "fetch", "slurp", "template", "unarchive")
_WINDOWS_COLLECTIONS = frozenset(("ansible.windows", "community.windows", "microsoft.ad", "microsoft.iis"))

_UNCHECKED = (
    "host '%s': the server's certificate is not checked (ansible_psrp_cert_validation: ignore). Attackers in the"
    " network can read and change all data, also the password. Set ansible_psrp_ca_cert to the PEM file of the"
    " authority that issued the certificate"
)

_CLEAR = (
    "host '%s': nothing is encrypted (HTTP with ansible_psrp_message_encryption: never). Attackers in the network can"
    " read and change all data. Use HTTPS, or remove ansible_psrp_message_encryption"
)
_CLEAR_LOGIN = (
    "host '%s': Basic authentication over HTTP would send the password without encryption, so nothing is sent. Set"
    " ansible_psrp_protocol: https, or another ansible_psrp_auth. To send the password in spite of this, set"
    " ansible_management_shell_allow_plaintext: true"
)

_LOG = "persistent_log_messages"
_NAME = "_inventory_name"
# The directory of the run, which Ansible's main process makes and removes. The daemon has another directory.
_RUN_DIRECTORY = "_run_directory"
# The default of seconds for connecting, with TLS, in a playbook of the collection. An unreachable host must not delay a
# run.
_CONNECT_IN_PLAYBOOKS = 5
# Seconds between two checks whether the playbook's process is still running.
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
            "the path of the session's socket in '%s' is too long: it has %d bytes, and at most %d are possible. Set"
            " ANSIBLE_PERSISTENT_CONTROL_PATH_DIR to a shorter directory of your own, such as /tmp/ansible-pc. In"
            " ansible.cfg this is control_path_dir in [persistent_connection]" % (directory, length, longest)
        )


def remove_leftovers(directory: Path, playbook: int) -> None:
    """Remove the temporary files of a killed playbook, which contain its packed modules.

    The playbook's temporary directory has its process id in the name. A playbook that ends normally removes it itself.
    """
    name = re.compile("ansible-local-%d[a-z0-9_]{8}" % playbook)  # the form of tempfile.mkdtemp
    for path in directory.glob("ansible-local-%d*" % playbook):
        if name.fullmatch(path.name) and path.lstat().st_uid == os.getuid() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


class Connection(NetworkConnectionBase):
    """The connection plugin. See DOCUMENTATION."""

    transport = "sfb.xmpp.management_shell"
    # Makes Ansible start or notify the daemon before each task. Tasks that run directly do so themselves.
    force_persistence = True
    has_pipelining = True

    def __init__(self, play_context: PlayContext, *args: t.Any, **kwargs: t.Any) -> None:
        # This shell starts modules on the controller, so the inventory's shell of the server is not used.
        kwargs["shell"] = get_shell_plugin(shell_type="sh", executable="/bin/sh")
        super().__init__(play_context, *args, **kwargs)
        # This plugin has no sub-plugin. ansible-core 2.16 searches its class unless the type is external.
        self._sub_plugin = {"type": "external"}
        self._in_daemon = False
        self._name = ""
        self._action = ""
        self._run_directory = ""
        self._sets_timeout = False  # whether the inventory says how long connecting may take
        self._identity: dict[str, t.Any] = {}
        self._conflict = ""
        self._session: PsrpSession | None = None
        # One mask for all sessions, so that a later session cannot show the secrets of an earlier one.
        self._mask = Mask()
        self._busy = False
        self._watcher: threading.Thread | None = None

    # In both places: options

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
            # Ansible names the daemon's socket by address, port, and user. Two endpoints of a server are two sessions.
            self._play_context.remote_user = "%s %s" % (self._options.get("remote_user"), self._options.get("path"))
            self.force_persistence = not self._runs_directly(task)
            _check_socket_directory(str(t.cast(t.Any, constants).PERSISTENT_CONTROL_PATH_DIR))
            return
        # In the daemon, Ansible passes the options once at the start, and again for every task.
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
            self._end_session()  # the settings of the same host were changed within the play
        if different or not self._identity:
            self._identity, self._name = wanted, name
            if wanted["cert_validation"] == "ignore" and wanted["protocol"] == "https":
                self.queue_message("warning", _UNCHECKED % name)
            if self._in_clear(wanted):
                self.queue_message("warning", _CLEAR % name)
        self._watch()

    @staticmethod
    def _in_clear(values: t.Mapping[str, t.Any]) -> bool:
        """Return whether neither TLS nor the authentication encrypts the data. Basic authentication cannot encrypt."""
        never = values["message_encryption"] == "never" or values["auth"] in ("basic", "certificate")
        return values["protocol"] == "http" and never

    def _watch(self) -> None:
        """Start to watch the playbook with the daemon's first options, because the daemon then has the password."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch_playbook, daemon=True)
            self._watcher.start()

    def _runs_directly(self, task: t.Mapping[str, t.Any]) -> bool:
        """Return whether this is a task of the collection that works in the worker (_actions/in_process.py)."""
        if not self._action.startswith("sfb.xmpp.") or task.get("async_val") or any(task.get("environment") or ()):
            return False
        if not self._options.get("direct"):
            return False
        from ..plugin_utils._actions import in_process  # here, since the daemon has no use for it

        return in_process.possible()

    def socket_for(self, context: PlayContext) -> str:
        """Return the path of the daemon's socket for this play context. It is called in the worker."""
        names = (context.remote_addr, context.port, context.remote_user, context.connection)
        ssh: t.Any = connection_loader.get("ssh", class_only=True)
        control_path = ssh._create_control_path(*names, self._ansible_playbook_pid)
        directory = unfrackpath(str(vars(constants)["PERSISTENT_CONTROL_PATH_DIR"]))
        return str(unfrackpath(control_path % {"directory": directory}))

    def _refusal(self, name: str, different: list[str]) -> str:
        return (
            "hosts '%s' and '%s' share one session, because they have the same address, port, path and user. But they"
            " differ in %s, so host '%s' is refused. Set ansible_host of one host to another name of the server, or use"
            " them in separate runs" % (self._name, name, ", ".join(different), name)
        )

    def get_option(self, option: str, hostvars: dict[str, object] | None = None) -> t.Any:
        # With this option on, Ansible's daemon would write every request as it is, passwords included. This connection
        # writes a record of its own instead, see _record.
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
        """Refuse a host here. Ansible calls this right after it has set the options for a task, under the same lock."""
        conflict, self._conflict = self._conflict, ""
        if conflict:
            raise ConnectionError(conflict)

    def adopt(self, options: dict[str, t.Any]) -> list[tuple[str, str]]:
        """Set the options of a task that runs directly, and return the collected messages.

        It joins set_options and update_play_context, so that no call of another host can come between them. Raises
        ConnectionError to refuse a host.
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
        except Exception as error:  # noqa: BLE001 - a mistake in the collection, perhaps during a write
            # Only the place is shown, because the error's text may have a parameter.
            self.queue_message("vvv", "".join(traceback.format_tb(error.__traceback__)))
            answer = Answer(lost="the connection failed unexpectedly: %s" % type(error).__name__)
        finally:
            self._busy = False
        self._record(calls, answer, begun)
        return answer.encode()

    def capture(self, statement: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run one encoded statement that reads, and return the encoded ``Captured``.

        Raises ConnectionError if nothing was executed.
        """
        session, call = self._kept_session(), Statement.decode(statement)
        if not call.cmdlet.startswith("Get-"):
            raise ConnectionError("a capture only reads, so %s is not sent" % call.cmdlet)
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
        """Set the limit of the call. Ansible has already set its alarm, which must be later for a long call."""
        session.limit = float(self._options["persistent_command_timeout"])
        longer = int(self._options["users_timeout"])
        if any(call.long for call in calls) and longer > session.limit:
            session.limit = float(longer)
            if threading.current_thread() is threading.main_thread():
                signal.alarm(longer)

    def place(self) -> dict[str, str]:
        """Return the place of the session (``Place.as_dict``), without opening it."""
        return Place(
            host=self._name,
            deployment=str(self._options.get("deployment") or "default"),
            account=str(self._options.get("remote_user") or ""),
            home=str(constants.config.get_config_value("ANSIBLE_HOME")),
            playbook=str(self._options.get("playbook") or ""),
        ).as_dict()

    def _kept_session(self) -> PsrpSession:
        """Return the session of the host, which opens at its first use."""
        if not self._in_daemon:
            raise AnsibleError("another process keeps the session. Use the connection's socket")
        if self._session is None:
            # With debugging, these libraries would write requests to the log file.
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
        """End the daemon and its session when the playbook's process has ended.

        At the end of a play Ansible only ends the daemons that a task reported. It does not end the daemons of hosts
        with only delegated tasks, and none if it was killed. They would stay until the idle timeout, which is long.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, signal.SIGTERM))  # these are for the main thread
        playbook = int(self._ansible_playbook_pid or 0)
        while playbook:
            time.sleep(_LOOK)
            try:
                os.kill(playbook, 0)
            except ProcessLookupError:
                if not self._busy:  # an asynchronous task may still run
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

    # In the worker: what Ansible does to run a module on the controller, and what is refused

    def set_become_plugin(self, plugin: BecomeBase | None) -> None:
        if plugin is not None:
            raise AnsibleError(
                "become does not work over %s, because the session belongs to the account in ansible_user. Set 'become:"
                " false' (ansible_become: false), and use an account with the necessary rights" % self.transport
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
        """Refuse a task for the server, because these methods would run it on the controller."""
        collection, _dot, name = self._action.rpartition(".")
        foreign = name.startswith("win_") or collection in _WINDOWS_COLLECTIONS
        builtin = collection in ("", "ansible.builtin", "ansible.legacy") and name in (*_RUN, *_TRANSFER)
        if self._in_daemon or foreign or builtin:
            raise AnsibleError(
                "%s carries cmdlets of the management shell. It cannot %s or run %s on the server. For such tasks set"
                " 'ansible_connection: ansible.builtin.psrp', which uses the same variables. For tasks on the"
                " controller set 'ansible_connection: local'. For facts set 'gather_facts: false'"
                % (self.transport, what, "'%s'" % self._action if self._action else "modules")
            )
