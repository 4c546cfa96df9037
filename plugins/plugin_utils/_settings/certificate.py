# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificate settings of a deployment's Edges, for tasks that run on another host of the deployment."""

from __future__ import annotations

import typing as t

from ...module_utils._base.result import Refused
from .._servers.inventory import servers_in
from . import check
from .source import Action, Variables, source_of
from .table import BY_NAME, PREFIX

NAME = PREFIX + "certificate"
_SETTING = BY_NAME[NAME]


def certificate_of(action: Action, variables: Variables) -> dict[str, t.Any]:
    """Return the value of sfb_xmpp_certificate, from the first Edge that has a value; otherwise from the task's host.

    The Edges come first, because converge installs the certificate of the Edges. Without a value, the result is empty.
    Raises Refused if the value cannot be used, because with ``--limit`` the check of the Edges did not run.
    """
    own = str(variables["inventory_hostname"])
    for host in (*servers_in(variables).of(own).edges, own):
        source = source_of(action, variables if host == own else variables["hostvars"][host])
        if NAME not in source.names:
            continue
        place = "%s of %s" % (NAME, host)
        try:
            value = source.value(NAME)
        except ValueError as exc:
            raise Refused(["%s: cannot be evaluated: %s" % (place, exc)]) from None
        if check.unset(_SETTING.spec, value):
            continue
        if found := check.mistakes(_SETTING.spec, value, place):
            raise Refused(found)
        return dict(value)
    return {}
