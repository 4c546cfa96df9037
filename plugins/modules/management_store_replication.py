#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the replicas of the Central Management Store are up to date."""

from __future__ import annotations

from ..module_utils._base.module import run
from ..module_utils._topology import replication as _replication

TASK = _replication.TASK


def main() -> None:
    run(TASK)


if __name__ == "__main__":
    main()
