# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the CLIXML that they travel as, and back; and the CLIXML of a capture sent as it is."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import psrpcore
import psrpcore.types as ps

_MARK = "what a capture holds goes here"


@dataclass(frozen=True)
class Raw:
    """An object of which the CLIXML is known: one element, sent as it stands."""

    xml: str

    def object(self) -> object:
        """The object that it is. Raises ValueError for what is no CLIXML."""
        try:
            (value,) = ps.deserialize_clixml("<Objs>%s</Objs>" % self.xml, psrpcore.PSRemotingCrypto())
        except (ET.ParseError, ValueError, KeyError, TypeError) as e:
            raise ValueError("no CLIXML of one object: %s" % e) from e
        return t.cast(object, value)


def serialize(value: object) -> str:
    """The CLIXML of one object."""
    if isinstance(value, Raw):
        return value.xml
    return ET.tostring(ps.serialize(value, psrpcore.PSRemotingCrypto()), encoding="unicode")


def write(pipeline: psrpcore.ServerPipeline, value: object) -> None:
    """Write one object to the output of a pipeline."""
    if not isinstance(value, Raw):
        pipeline.write_output(value)
        return
    # psrpcore makes the message around it; there is no other way in for what is serialised already.
    pipeline.write_output(_MARK)
    message = pipeline.runspace_pool._send_buffer[-1]
    placeholder = ("<S>%s</S>" % _MARK).encode()
    message._data = bytearray(message.data.replace(placeholder, value.xml.encode("utf-8", "surrogatepass")))
