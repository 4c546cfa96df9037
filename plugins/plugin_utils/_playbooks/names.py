# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define names that settings and playbooks share.

The names have their own file, so that a run does not load all playbooks.
"""

from __future__ import annotations

# The stages of a removal, in the order of the removal.
STAGES = ("export", "remove", "route", "unbind")
# The targets of a migration.
TARGETS = SERVER_2019, TEAMS, XMPP = "2019", "teams", "xmpp"
