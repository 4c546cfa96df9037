# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose process this is on the controller."""

from __future__ import annotations

import os
import pwd


def system_user() -> str:
    """The name of the account, which no variable of the environment can say otherwise."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
