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
    and mean the same. An inventory that works with it works unchanged.
  - A session that is lost is opened again. What was cut off is sent again only if it certainly was not executed, or if
    it only reads. A write that was cut off is reported as unknown, and the modules read back what took effect.
  - In a run the first login with an account and its password goes alone, and the others follow when it is accepted. If
    it is refused, the same password is not tried on another host of the run, so that the account is not locked.
    The remote shell and WinRM count apart, since WinRM refuses a good account that is no local administrator.
  - This connection cannot run other people's modules on the server, run commands, or transfer files. Use
    P(ansible.builtin.psrp#connection) for the tasks that do; the same variables serve both.
  - Two inventory hosts with the same address, port, path, and user share one session. If they differ in anything else
    that matters to the session, the second is refused, and the message names both.
requirements:
  - pypsrp >= 0.8.1, < 1.0.0 (Python library; with its extras C(kerberos) or C(credssp) for these)
notes:
  - C(become) has no meaning here and is refused. The session belongs to the account in O(remote_user).
  - Facts are not gathered over this connection; set C(gather_facts=false) in plays that use it.
  - Use C(meta=reset_connection) to get a new session within a play. A host whose connection options change within a
    play gets a new session by itself.
options:
  # where to
  remote_addr:
    description:
      - Name or address of the server.
      - Kerberos and the check of the server's certificate need the name under which the server is known.
      - For a Front End use the name of one server instead of a load-balanced pool name, since a session does not
        survive being sent to another server.
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
      - Kerberos can do without it if a ticket has been obtained before.
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
      - Whether to speak HTTP or HTTPS.
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
      - It is V(OcsPowershell) on a Front End, and V(wsman) for the WinRM service of an Edge.
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
      - An Edge needs V(SkypeForBusiness) (Skype for Business Server 2015) or V(Lync) (Lync Server 2013).
        C(OcsPowershell) of a Front End has its cmdlets loaded and needs none.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: list
    elements: str
    default: []
    vars:
      # What a playbook of this collection imports where the inventory says nothing. The last name counts.
      - name: xmpp_federation_modules
      - name: ansible_management_shell_modules

  # how to authenticate
  auth:
    description:
      - How to authenticate.
      - V(negotiate) tries Kerberos, and NTLM where Kerberos is not to be had.
      - V(basic) sends the password itself, protected by TLS only, and is normally switched off on servers.
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
      - What O(auth=credssp) uses within. V(auto) prefers Kerberos to NTLM.
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
      - Whether O(auth=credssp) does without TLS 1.2 in its own channel. Only for servers that lack it.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_credssp_disable_tlsv1_2
  credssp_minimum_version:
    description:
      - The lowest protocol version of the server that O(auth=credssp) accepts.
      - V(5) and later are not open to CVE-2018-0886.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_credssp_minimum_version
  negotiate_delegate:
    description:
      - Whether the server may use the credentials to log in to further servers. For Kerberos only.
    type: bool
    vars:
      - name: ansible_psrp_negotiate_delegate
  negotiate_hostname_override:
    description:
      - The server's name in Kerberos, if it differs from O(remote_addr), for instance because that is an IP address.
    type: str
    vars:
      - name: ansible_psrp_negotiate_hostname_override
  negotiate_send_cbt:
    description:
      - Whether to bind the authentication to the TLS channel, so that it cannot be relayed. For HTTPS only.
    type: bool
    default: true
    vars:
      - name: ansible_psrp_negotiate_send_cbt
  negotiate_service:
    description:
      - The service part of the server's principal name in Kerberos.
      - C(OcsPowershell) of a Front End normally needs V(HTTP).
      - If not set, what P(ansible.builtin.psrp#connection) of the installed ansible-core has as its default, V(WSMAN)
        before ansible-core 2.21 and V(host) since.
    type: str
    vars:
      - name: ansible_psrp_negotiate_service

  # how to protect what is sent
  cert_validation:
    description:
      - Whether to check the server's certificate. With V(ignore) anybody on the way may read and change everything.
    type: str
    choices:
      - validate
      - ignore
    default: validate
    vars:
      - name: ansible_psrp_cert_validation
  ca_cert:
    description:
      - Path of a PEM file with the certificates of the authorities that may have issued the server's certificate.
      - If not set, the authorities that the Python library C(requests) trusts.
      - Has no effect with O(cert_validation=ignore).
    type: path
    vars:
      - name: ansible_psrp_cert_trust_path
      - name: ansible_psrp_ca_cert
    aliases:
      - cert_trust_path
  message_encryption:
    description:
      - Whether to encrypt the messages by means of the authentication, independently of TLS.
      - V(auto) does so over HTTP, V(always) over HTTPS as well, V(never) not at all, which over HTTP sends everything
        in the clear.
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
      - Whether O(auth=basic) may send the password over HTTP without encryption. Without it, nothing is sent.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: bool
    default: false
    vars:
      - name: ansible_management_shell_allow_plaintext
  proxy:
    description:
      - URL of the HTTP proxy to go through.
    type: str
    vars:
      - name: ansible_psrp_proxy
  ignore_proxy:
    description:
      - Whether to ignore the proxy that the environment variables name. Has no effect if O(proxy) is set.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_ignore_proxy

  no_profile:
    description:
      - Whether to do without the PowerShell profile of O(remote_user). C(OcsPowershell) of a Front End has none.
      - Needs pypsrp 0.9.0 or later.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_no_profile

  # how long, how much
  persistent_connect_timeout:
    description:
      - Seconds after which a session that no task has used is closed.
      - Not to be confused with O(connection_timeout).
      - The default is longer than that of other persistent connections, since opening a session here takes long.
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
      - Seconds that the statements of a module may take together. Then the session is given up, and it is unknown which
        of the writes took effect.
      - The default is longer than that of other persistent connections, since importing a module, restarting services,
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
      - Seconds that reading all users may take, which is long where there are many. It counts in place of
        O(persistent_command_timeout), unless that is longer.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: int
    default: 3600
    vars:
      - name: ansible_management_shell_users_timeout
  persistent_log_messages:
    description:
      - Whether to write every cmdlet with its parameters, and the server's errors, to the file in
        E(ANSIBLE_LOG_PATH).
      - In contrast to other persistent connections, secrets are masked, and neither the options of the connection nor
        the objects that the server returns are written.
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
      - Seconds to wait for the server to accept a network connection, and to agree on TLS.
      - In the playbooks and roles of this collection the default is 5. A host that cannot be reached must not hold up a
        run.
      - Not to be confused with O(persistent_connect_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_connection_timeout
  read_timeout:
    description:
      - Seconds to wait for an answer of the server on one request.
      - Must be larger than O(operation_timeout).
    type: int
    default: 30
    vars:
      - name: ansible_psrp_read_timeout
  operation_timeout:
    description:
      - Seconds after which the server answers a request even if it has nothing to say yet. It is asked again then, so
        that a cmdlet may take longer; O(persistent_command_timeout) is the limit for that.
    type: int
    default: 20
    vars:
      - name: ansible_psrp_operation_timeout
  reconnection_retries:
    description:
      - How often to try again if no network connection comes about.
    type: int
    default: 0
    vars:
      - name: ansible_psrp_reconnection_retries
  reconnection_backoff:
    description:
      - Seconds to wait before the first of O(reconnection_retries). The time doubles with each of them.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_connection_backoff
      - name: ansible_psrp_reconnection_backoff
  pipelining:
    description:
      - Whether modules are piped into Python on the controller instead of being written to temporary files there, with
        their arguments, secrets included. Faster, and nothing touches a disk.
      - Tasks with C(async) are always written to files, which only the controller's user can read.
      - In contrast to P(ansible.builtin.psrp#connection) the default is V(true); become, with which it may conflict
        elsewhere, does not exist here.
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
      - Whether the modules of this collection do their work in Ansible's own process, over the session that is open.
        That saves two processes for each task, which take longer than the work. The results are the same.
      - Tasks with C(async) or C(environment) always run as ordinary modules, and so do all tasks under an ansible-core
        that lacks one of the internals needed for this.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: bool
    default: true
    env:
      - name: ANSIBLE_MANAGEMENT_SHELL_DIRECT
    vars:
      - name: ansible_management_shell_direct
  deployment:
    description:
      - The deployment that the host belongs to. Hosts of one deployment are several ways to the same store.
      - Plan files, snapshots and locks carry its name.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: str
    default: default
    vars:
      - name: sfb_xmpp_deployment
  playbook:
    description:
      - The playbook or role of this collection that is running. It sets this itself, so that messages name the
        variables of an inventory or the parameters of the role, and not the options of a module.
      - This option is not known to P(ansible.builtin.psrp#connection).
    type: str
    default: ''
    vars:
      # The last name counts: a role that a playbook of this collection runs.
      - name: xmpp_federation_role
      - name: xmpp_federation_playbook
  max_envelope_size:
    description:
      - The largest message to send, in bytes. What is larger goes in several.
      - With the default, which old servers need, 500 KiB are used as soon as the server turns out to allow them.
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

# Actions that mean the server, but would run on the controller here. Compared without their collection's name.
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
# The directory of the run, which Ansible's main process makes and removes; the daemon has another one.
_RUN_DIRECTORY = "_run_directory"
# Seconds for the attempt to connect, TLS included, in a playbook of the collection where the user sets none: a host
# that cannot be reached must not hold up a run.
_CONNECT_IN_PLAYBOOKS = 5
# Seconds between two looks whether the playbook's process is still there.
_LOOK = 1


def _core_service() -> str:
    """The service name that ansible.builtin.psrp has by default, which depends on the ansible-core."""
    from ansible.module_utils.common.yaml import yaml_load
    from ansible.plugins.connection import psrp

    return str(yaml_load(psrp.DOCUMENTATION)["options"]["negotiate_service"]["default"])


def _check_socket_directory(directory: str) -> None:
    """Raises AnsibleError where the path of the daemon's socket is longer than the operating system allows.

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
    """Remove what a killed playbook left in Ansible's directory for temporary files: its modules, packed to be run.

    A playbook's own directory there is named by its process id, and it removes it when it ends in order.
    """
    name = re.compile("ansible-local-%d[a-z0-9_]{8}" % playbook)  # as tempfile.mkdtemp makes it
    for path in directory.glob("ansible-local-%d*" % playbook):
        if name.fullmatch(path.name) and path.lstat().st_uid == os.getuid() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


class Connection(NetworkConnectionBase):
    """The connection; see DOCUMENTATION."""

    transport = "sfb.xmpp.management_shell"
    # Makes Ansible start or notify the daemon before each task. Tasks that run directly do so themselves.
    force_persistence = True
    has_pipelining = True

    def __init__(self, play_context: PlayContext, *args: t.Any, **kwargs: t.Any) -> None:
        # The shell that starts modules on the controller, whatever shell the inventory says the server has.
        kwargs["shell"] = get_shell_plugin(shell_type="sh", executable="/bin/sh")
        super().__init__(play_context, *args, **kwargs)
        # There is no plugin below this one. ansible-core 2.16 looks for its class unless it is called external.
        self._sub_plugin = {"type": "external"}
        self._in_daemon = False
        self._name = ""
        self._action = ""
        self._run_directory = ""
        self._sets_timeout = False  # whether the inventory says how long connecting may take
        self._identity: dict[str, t.Any] = {}
        self._conflict = ""
        self._session: PsrpSession | None = None
        # Of all sessions: what one was told must not come out through the next.
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
        # In the daemon: Ansible hands over the options once at its start, and again for every task.
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
            self._end_session()  # the host's own settings were changed within the play
        if different or not self._identity:
            self._identity, self._name = wanted, name
            if wanted["cert_validation"] == "ignore" and wanted["protocol"] == "https":
                self.queue_message("warning", _UNCHECKED % name)
            if self._in_clear(wanted):
                self.queue_message("warning", _CLEAR % name)
        self._watch()

    @staticmethod
    def _in_clear(values: t.Mapping[str, t.Any]) -> bool:
        """Whether what is sent is encrypted neither by TLS nor by the authentication (Basic cannot)."""
        never = values["message_encryption"] == "never" or values["auth"] in ("basic", "certificate")
        return values["protocol"] == "http" and never

    def _watch(self) -> None:
        """From the daemon's first word on: it has the password, whether or not there is a session."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch_playbook, daemon=True)
            self._watcher.start()

    def _runs_directly(self, task: t.Mapping[str, t.Any]) -> bool:
        """Whether the task is one of this collection's that works in the worker (_actions/in_process.py)."""
        if not self._action.startswith("sfb.xmpp.") or task.get("async_val") or any(task.get("environment") or ()):
            return False
        if not self._options.get("direct"):
            return False
        from ..plugin_utils._actions import in_process  # here, since the daemon has no use for it

        return in_process.possible()

    def socket_for(self, context: PlayContext) -> str:
        """In the worker: the path of the socket of the daemon that serves this play context, if there is one."""
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
        """The options as Ansible hands them to the daemon."""
        options: dict[str, t.Any] = super().get_options(hostvars=hostvars)  # type: ignore[no-untyped-call]
        options[_LOG] = super().get_option(_LOG, hostvars=hostvars)  # type: ignore[no-untyped-call]
        options[_NAME] = self._name
        options[_RUN_DIRECTORY] = str(vars(constants)["DEFAULT_LOCAL_TMP"])
        if options.get("playbook") and not self._sets_timeout:
            options["connection_timeout"] = _CONNECT_IN_PLAYBOOKS
        return options

    # In the daemon: called over the socket

    def update_play_context(self, data: str) -> None:
        """Called by Ansible right after it has set the options for a task, under the same lock. The place to refuse."""
        conflict, self._conflict = self._conflict, ""
        if conflict:
            raise ConnectionError(conflict)

    def adopt(self, options: dict[str, t.Any]) -> list[tuple[str, str]]:
        """Called for a task that runs directly: set_options and update_play_context in one, so that no other host's
        call can come between them. Returns the messages that have gathered; raises ConnectionError to refuse a host.
        """
        others, self._conflict = self._conflict, ""
        try:
            self.set_options(direct=options)
            self.update_play_context("")
        finally:
            self._conflict = others
        return self.pop_messages()

    def invoke(self, statements: list[dict[str, t.Any]]) -> dict[str, t.Any]:
        """Run encoded statements (``Statement.encode``) in the host's session; an encoded ``Answer``.

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
        except Exception as error:  # noqa: BLE001 - a mistake of ours, on which a write may have been under way
            # Where it happened; not the error's text, which may hold a parameter.
            self.queue_message("vvv", "".join(traceback.format_tb(error.__traceback__)))
            answer = Answer(lost="the connection failed unexpectedly: %s" % type(error).__name__)
        finally:
            self._busy = False
        self._record(calls, answer, begun)
        return answer.encode()

    def capture(self, statement: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run one encoded statement that reads; also what the server sent for it (``Captured``, encoded).

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
        """Set the limit of the call. Ansible's alarm for it is set already, and has to ring later where it may last."""
        session.limit = float(self._options["persistent_command_timeout"])
        longer = int(self._options["users_timeout"])
        if any(call.long for call in calls) and longer > session.limit:
            session.limit = float(longer)
            if threading.current_thread() is threading.main_thread():
                signal.alarm(longer)

    def place(self) -> dict[str, str]:
        """Where the session leads (``Place.as_dict``); opens none."""
        return Place(
            host=self._name,
            deployment=str(self._options.get("deployment") or "default"),
            account=str(self._options.get("remote_user") or ""),
            home=str(constants.config.get_config_value("ANSIBLE_HOME")),
            playbook=str(self._options.get("playbook") or ""),
        ).as_dict()

    def _kept_session(self) -> PsrpSession:
        """The session of the host, which opens when it is first used."""
        if not self._in_daemon:
            raise AnsibleError("another process keeps the session. Use the connection's socket")
        if self._session is None:
            # These write requests to the log file, if one is set, as soon as somebody asks for debugging.
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
        """End the daemon, and with it the session, when the playbook's process is gone.

        At the end of a play Ansible ends the daemons of which a task told it. It ends no others, such as those of hosts
        that were only delegated to, and none if it was killed. They would stay until the idle timeout, which is long
        here.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, signal.SIGTERM))  # these are for the main thread
        playbook = int(self._ansible_playbook_pid or 0)
        while playbook:
            time.sleep(_LOOK)
            try:
                os.kill(playbook, 0)
            except ProcessLookupError:
                if not self._busy:  # an asynchronous task may still be at work
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
        """These methods reach the controller, where modules run. A task that means the server must not end up there."""
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
