# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the directory in which a run was started, and resolve the user's relative paths."""

from __future__ import annotations

import os

from ansible.errors import AnsibleError


def working_directory() -> str:
    """Return the directory in which Ansible was started. Raises AnsibleError if the directory was removed.

    Ansible never changes this directory, and workers inherit the directory. The environment variable PWD is not used,
    because a
    scheduler may leave PWD unset or wrong.
    """
    try:
        return os.getcwd()
    except OSError as exc:
        text = "the working directory of Ansible cannot be used (%s). Start Ansible in another directory"
        raise AnsibleError(text % exc.strerror) from None


def absolute(path: str) -> str:
    """Return the user's path as an absolute path.

    Raises AnsibleError if the directory of working_directory() was removed.
    """
    path = os.path.expanduser(path)
    return os.path.normpath(path if os.path.isabs(path) else os.path.join(working_directory(), path))
