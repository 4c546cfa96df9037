# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection plugin without a server: its options, what it refuses, and what it keeps to itself."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.connection import ConnectionError as RpcError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.connection import psrp
from ansible.plugins.loader import become_loader
from ansible_collections.sfb.xmpp.plugins.connection.management_shell import DOCUMENTATION, Connection, remove_leftovers
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession

NAME = "sfb.xmpp.management_shell"
OURS: dict[str, t.Any] = yaml.safe_load(DOCUMENTATION)["options"]
PSRP: dict[str, t.Any] = yaml.safe_load(psrp.DOCUMENTATION)["options"]


def plugin(context: PlayContext | None = None) -> t.Any:
    """The plugin as Ansible's loader makes it (the loader itself would need a search path for collections)."""
    connection: t.Any = Connection(context or PlayContext(), "/dev/null", task_uuid="1", ansible_playbook_pid="0")
    connection._load_name = NAME
    constants.config.initialize_plugin_configuration_definitions("connection", NAME, OURS)
    return connection


def worker(action: str = "sfb.xmpp.external_access_policy_info", **variables: t.Any) -> t.Any:
    """The plugin as it is in a worker: with the options of a task."""
    connection = plugin()
    named = {"inventory_hostname": "fe01", "ansible_host": "fe01.contoso.example", **variables}
    connection.set_options(task_keys={"action": action}, var_options=named)
    return connection


def daemon(**variables: t.Any) -> t.Any:
    """The plugin as it is in the daemon: with the options that a worker hands over."""
    connection = plugin()
    connection.set_options(direct=worker(**variables).get_options())
    return connection


# Where our options differ from those of the core that is installed, and why.
DIFFERENT = {
    "negotiate_service": ("default", "it depends on the core: the connection asks the one that is installed"),
}
# What the newest core has, and this one may not.
NEWER = {
    "certificate_key_password": ["ansible_psrp_certificate_key_password"],
    "no_profile": ["ansible_psrp_no_profile"],
}


@pytest.mark.parametrize("name", sorted(PSRP))
def test_options_of_psrp_exist_with_the_same_names_variables_and_defaults(name: str) -> None:
    compared = {"type", "default", "choices", "vars", "keyword", "aliases"} - {DIFFERENT.get(name, ("",))[0]}
    theirs = {"type": "str", **{key: PSRP[name][key] for key in compared if key in PSRP[name]}}
    for variable in theirs.get("vars", []):
        variable.pop("version_added", None)
    assert {key: OURS[name][key] for key in compared if key in OURS[name]} == theirs


def test_the_service_of_kerberos_is_that_of_the_installed_core() -> None:
    expected = PSRP["negotiate_service"]["default"]
    assert daemon()._kept_session().target.wsman["negotiate_service"] == expected
    asked = daemon(ansible_psrp_negotiate_service="HTTP")
    assert asked._kept_session().target.wsman["negotiate_service"] == "HTTP"


def test_what_is_added_to_the_options_of_psrp() -> None:
    added = {name: [v["name"] for v in OURS[name].get("vars", [])] for name in OURS if name not in PSRP}
    assert {name: names for name, names in added.items() if NEWER.get(name) != names} == {
        "modules": ["xmpp_federation_modules", "ansible_management_shell_modules"],
        "allow_plaintext": ["ansible_management_shell_allow_plaintext"],
        "direct": ["ansible_management_shell_direct"],
        "persistent_connect_timeout": ["ansible_connect_timeout"],
        "persistent_command_timeout": ["ansible_command_timeout"],
        "persistent_log_messages": ["ansible_persistent_log_messages"],
        "users_timeout": ["ansible_management_shell_users_timeout"],
        "pipelining": ["ansible_pipelining"],
        "deployment": ["sfb_xmpp_deployment"],
        "playbook": ["xmpp_federation_role", "xmpp_federation_playbook"],
    }
    assert (OURS["persistent_connect_timeout"]["default"], OURS["persistent_command_timeout"]["default"]) == (1800, 600)


def test_every_option_is_described() -> None:
    assert all(option["description"] for option in OURS.values())


def test_options_come_from_the_variables_of_psrp() -> None:
    connection = worker(ansible_psrp_path="OcsPowershell", ansible_port=443, ansible_management_shell_modules=["Lync"])
    assert connection.get_option("remote_addr") == "fe01.contoso.example"
    assert (connection.get_option("path"), connection.get_option("port")) == ("OcsPowershell", 443)
    assert connection.get_option("modules") == ["Lync"]
    assert connection.get_option("persistent_command_timeout") == 600


def test_ansible_is_never_asked_to_log_requests_but_the_plugin_knows_of_the_wish() -> None:
    connection = daemon(ansible_persistent_log_messages=True)
    assert connection.get_option("persistent_log_messages") is False
    assert connection._options["persistent_log_messages"] is True
    assert not [text for level, text in connection.pop_messages() if level == "warning"]


def test_the_same_endpoint_may_be_shared() -> None:
    connection = daemon()
    connection.set_options(direct=worker(inventory_hostname="fe01-alias", ansible_psrp_read_timeout=99).get_options())
    connection.update_play_context("")
    # It still belongs to the first: another of the sharing hosts cannot turn it elsewhere.
    connection.set_options(direct=worker(inventory_hostname="fe01-alias", ansible_psrp_path="wsman2").get_options())
    with pytest.raises(RpcError, match="'fe01' and 'fe01-alias'"):
        connection.update_play_context("")


def test_another_host_with_another_endpoint_is_refused_by_name_and_only_that_one() -> None:
    connection = daemon(ansible_psrp_path="OcsPowershell", ansible_password="not-to-be-seen")
    other = {"ansible_psrp_path": "wsman", "ansible_psrp_auth": "basic", "ansible_password": "nor-this-one"}
    connection.set_options(direct=worker(inventory_hostname="edge01", **other).get_options())
    with pytest.raises(RpcError) as caught:
        connection.update_play_context("")
    text = str(caught.value)
    assert "'fe01' and 'edge01'" in text
    assert "path, remote_password, auth, so host 'edge01' is refused" in text
    assert "not-to-be-seen" not in text
    assert "nor-this-one" not in text
    assert connection.get_option("path") == "OcsPowershell"
    connection.update_play_context("")


def test_a_host_whose_own_settings_changed_gets_a_new_session() -> None:
    connection = daemon(ansible_psrp_path="OcsPowershell")
    first = connection._kept_session()
    connection.set_options(direct=worker(ansible_psrp_path="OcsPowershell").get_options())
    assert connection._kept_session() is first
    connection.set_options(direct=worker(ansible_psrp_path="wsman").get_options())
    connection.update_play_context("")
    assert connection._kept_session().target.endpoint.endswith("/wsman")


def test_a_delegated_task_counts_for_the_host_it_is_delegated_to() -> None:
    connection = plugin()
    connection.set_options(task_keys={"delegate_to": "edge01"}, var_options={"inventory_hostname": "fe01"})
    assert connection.get_options()["_inventory_name"] == "edge01"


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 30),
        ({"xmpp_federation_playbook": "converge"}, 5),
        ({"xmpp_federation_playbook": "converge", "ansible_psrp_connection_timeout": 30}, 30),
        ({"ansible_psrp_connection_timeout": 3}, 3),
    ],
)
def test_in_a_playbook_of_the_collection_connecting_ends_soon(variables: dict[str, t.Any], seconds: int) -> None:
    connection = daemon(**variables)
    assert connection.get_option("connection_timeout") == seconds
    assert connection._run_directory == vars(constants)["DEFAULT_LOCAL_TMP"]


def test_become_is_refused() -> None:
    connection = worker()
    connection.set_become_plugin(None)
    with pytest.raises(AnsibleError, match="become: false"):
        connection.set_become_plugin(become_loader.get("sudo"))


METHODS: list[tuple[str, tuple[str, ...]]] = [
    ("exec_command", ("true",)),
    ("put_file", ("/nowhere/a", "/nowhere/b")),
    ("fetch_file", ("/nowhere/a", "/nowhere/b")),
]


@pytest.mark.parametrize(("method", "arguments"), METHODS)
@pytest.mark.parametrize(
    "action",
    ["raw", "ansible.builtin.command", "ansible.legacy.copy", "fetch", "setup", "win_ping", "ansible.windows.slurp"],
)
def test_tasks_that_mean_the_server_are_refused(method: str, arguments: tuple[str, ...], action: str) -> None:
    with pytest.raises(AnsibleError, match=r"'%s'.*ansible_connection: ansible\.builtin\.psrp" % action):
        getattr(worker(action), method)(*arguments)


@pytest.mark.parametrize(("method", "arguments"), METHODS)
def test_the_socket_offers_no_commands_and_files(method: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(AnsibleError, match="cannot"):
        getattr(daemon(), method)(*arguments)


def test_modules_run_on_the_controller_whatever_shell_the_server_has() -> None:
    context = PlayContext()
    context.shell = "powershell"
    assert plugin(context)._shell._load_name == "sh"
    code, out, _err = worker().exec_command("echo here")
    assert (code, out) == (0, b"here\n")


def test_a_certificate_that_is_not_checked_is_a_warning_once_for_a_session() -> None:
    connection = daemon(ansible_psrp_cert_validation="ignore")
    (warning,) = [text for level, text in connection.pop_messages() if level == "warning"]
    assert "host 'fe01': the server's certificate is not checked (ansible_psrp_cert_validation: ignore)" in warning
    connection.set_options(direct=worker(ansible_psrp_cert_validation="ignore").get_options())
    assert not [text for level, text in connection.pop_messages() if level == "warning"]
    for harmless in ({}, {"ansible_psrp_cert_validation": "ignore", "ansible_psrp_protocol": "http"}):
        assert not [text for level, text in daemon(**harmless).pop_messages() if level == "warning"]


HTTP = {"ansible_psrp_protocol": "http"}


@pytest.mark.parametrize(
    ("variables", "number"),
    [
        ({**HTTP, "ansible_psrp_message_encryption": "never"}, 1),
        ({**HTTP, "ansible_psrp_message_encryption": "never", "ansible_psrp_auth": "ntlm"}, 1),
        ({**HTTP, "ansible_psrp_auth": "basic"}, 1),
        ({**HTTP, "ansible_psrp_auth": "ntlm"}, 0),
        ({"ansible_psrp_message_encryption": "never"}, 0),
        ({"ansible_port": 5985, "ansible_psrp_message_encryption": "never"}, 1),
    ],
)
def test_what_is_sent_in_the_clear_is_a_warning(variables: dict[str, t.Any], number: int) -> None:
    warnings = [text for level, text in daemon(**variables).pop_messages() if level == "warning"]
    assert len(warnings) == number
    assert all("host 'fe01': nothing is encrypted" in text for text in warnings)


def test_basic_over_http_is_refused_unless_it_is_allowed() -> None:
    basic = {**HTTP, "ansible_psrp_auth": "basic", "ansible_psrp_message_encryption": "never"}
    with pytest.raises(RpcError, match="ansible_management_shell_allow_plaintext: true"):
        daemon(**basic).invoke([Statement("Get-CsUser").encode()])
    assert daemon(**basic, ansible_management_shell_allow_plaintext=True)._kept_session()
    assert daemon(**{**basic, "ansible_psrp_protocol": "https"})._kept_session()


def test_the_daemon_watches_its_playbook_from_the_first_word_on() -> None:
    """It has the password before it has a session."""
    assert daemon()._watcher is not None
    assert worker()._watcher is None


def test_a_mistake_of_our_own_leaves_the_outcome_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hush-hush"

    def mistaken(session: PsrpSession, statements: t.Sequence[Statement]) -> Answer:
        raise TypeError(secret)

    monkeypatch.setattr(PsrpSession, "invoke", mistaken)
    connection = daemon()
    answer = Answer.decode(connection.invoke([Statement("Set-X").encode()]))
    assert "TypeError" in answer.lost
    assert secret not in answer.lost
    assert secret not in repr(connection.pop_messages())


def test_only_what_the_killed_playbook_itself_left_is_removed(tmp_path: Path) -> None:
    names = [
        "ansible-local-12abcd_fgh",
        "ansible-local-123abcdefg",
        "ansible-local-1234abcdefgh",
        "ansible-local-12x",
        "a",
    ]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "module").write_text("code", encoding="utf-8")
    (tmp_path / "ansible-local-12linklink").symlink_to(tmp_path / "a")
    remove_leftovers(tmp_path, 12)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[2:], "ansible-local-12linklink"])


def test_the_session_is_not_opened_in_a_worker() -> None:
    with pytest.raises(AnsibleError, match="socket"):
        worker().invoke([])


@pytest.mark.parametrize(("length", "fits"), [(92, True), (93, False)])
def test_a_directory_in_which_no_socket_fits_is_named_with_the_setting(
    length: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shorter limit, of macOS: 103 bytes with the name of the socket. The name has ten and a slash."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(constants, "PERSISTENT_CONTROL_PATH_DIR", "/" + "x" * (length - 1))
    if fits:
        worker()
        return
    with pytest.raises(AnsibleError, match="ANSIBLE_PERSISTENT_CONTROL_PATH_DIR"):
        worker()
