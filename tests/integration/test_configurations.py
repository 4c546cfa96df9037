# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two global configurations over the wire."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE, GATEWAY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import configuration, info

from tests.integration.management import Management

SETTINGS: dict[str, t.Any] = {
    "connection_limit": 2000,
    "partner_connection_limit": 40,
    "keep_alive_interval": 120,
    "stream_establishment_timeout": 30,
    "stream_inactivity_timeout": 900,
    "subscription_refresh_interval": 14400,
    "enable_logging_all_message_bodies": True,
}


def test_gateway_settings(management: Management) -> None:
    result = management.rhythm(configuration(GATEWAY), **SETTINGS)
    assert result.values["configuration"] == SETTINGS
    assert "records the text of all messages" in result.warnings[0]
    assert management.run(info(GATEWAY)).values["configuration"] == SETTINGS
    result = management.rhythm(configuration(GATEWAY), connection_limit=1500, keep_alive_interval=120)
    (step,) = result.steps or []
    assert step["parameters"] == {"Identity": "Global", "ConnectionLimit": 1500, "Confirm": False}


def test_the_passphrase_is_written_once_and_shown_nowhere(management: Management) -> None:
    secret = "correct-horse-battery"
    result = management.rhythm(configuration(GATEWAY), dialback_passphrase=secret)
    shown = json.dumps([result.as_dict(), result.warnings, str(management.store.events())])
    assert secret not in shown
    (step,) = result.steps or []
    assert step["parameters"]["DialbackPassphrase"] == {"secret": True}
    other = management.rhythm(configuration(GATEWAY), dialback_passphrase="another-one-here")
    assert "another-one" not in json.dumps(other.as_dict())


def test_a_passphrase_that_the_server_hides_is_written_again_and_said_so(management: Management) -> None:
    management.store.set_setting("hide_dialback_passphrase", True)
    task = configuration(GATEWAY)
    result = management.run(task, dialback_passphrase="correct-horse-battery")
    assert result.changed
    assert not result.failures
    again = management.run(task, dialback_passphrase="correct-horse-battery")
    assert "does not show" in again.warnings[0]


def test_access_edge(management: Management) -> None:
    result = management.rhythm(configuration(ACCESS_EDGE), allow_federated_users=True, allow_anonymous_users=True)
    assert result.values["configuration"]["allow_federated_users"] is True
    mark = management.mark()
    with pytest.raises(Refused, match="SIP federation and XMPP federation do not work"):
        management.run(configuration(ACCESS_EDGE), allow_federated_users=False)
    assert management.writes(mark) == []
    assert management.rhythm(configuration(ACCESS_EDGE), allow_federated_users=False, force=True).changed
    found = management.run(info(ACCESS_EDGE)).values
    assert found["configuration"]["allow_federated_users"] is False
    assert "SIP federation and XMPP federation do not work" in found["findings"][0]["message"]


def test_nothing_given_is_nothing_done(management: Management) -> None:
    for resource in (GATEWAY, ACCESS_EDGE):
        assert not management.run(configuration(resource)).changed
    assert management.writes() == []
