# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a run was started, and what relative paths of its user mean."""

from __future__ import annotations

import os

from ansible.errors import AnsibleError


def working_directory() -> str:
    """The directory in which Ansible was started. Raises AnsibleError if it was removed.

    Ansible never changes it, and its workers inherit it. The environment's PWD is not asked: a scheduler may not set
    it, or may leave the one of its own service.
    """
    try:
        return os.getcwd()
    except OSError as exc:
        text = "the directory in which Ansible was started cannot be used (%s). Start Ansible in another directory"
        raise AnsibleError(text % exc.strerror) from None


def absolute(path: str) -> str:
    """A path of the user as an absolute one. Raises AnsibleError as working_directory() does."""
    path = os.path.expanduser(path)
    return os.path.normpath(path if os.path.isabs(path) else os.path.join(working_directory(), path))
