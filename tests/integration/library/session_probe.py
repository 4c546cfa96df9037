# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A test module: sends statements through the connection and returns the answer as it is."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import ConnectionShell
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret, ShellError, Statement


def main() -> None:
    module = AnsibleModule(
        {
            "cmdlet": {"type": "str", "required": True},
            "parameters": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    secrets = {name: Secret(text) for name, text in module.params["secrets"].items()}
    statement = Statement(module.params["cmdlet"], {**module.params["parameters"], **secrets})
    if module.check_mode and not statement.is_read:
        module.exit_json(changed=True, skipped_write=True)
    try:
        answer = ConnectionShell(module._socket_path).invoke([statement])
    except ShellError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=not statement.is_read,
        output=list(answer.output),
        errors=[error.as_dict() for error in answer.errors],
        lost=answer.lost,
    )


if __name__ == "__main__":
    main()
