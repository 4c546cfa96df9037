# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of all sinks: whatever text comes to one, nothing leaves it that a terminal obeys or nobody sees."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import socket
import tempfile
import types
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inventory_text import inventory_text, inventory_values
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Step, difference
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import in_lines, json_text, one_line
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.impact import impact
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.reach import May, Reach, Ways
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import summary
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.files import CONTENT
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.in_process import DirectAction
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import (
    audit_markdown,
    audit_page,
    audit_prometheus,
    history,
    junit,
    markdown,
    plan_markdown,
    rehearsal,
    short_document,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.show import show
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import export, journal
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import decommission
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.plugin_utils.audit_sample import sample

# Where texts of others stand in an audit.
_FOREIGN = {"deployment", "host", "object", "message", "remedy", "domain", "additional_domains", "identity", "names"}


def _filled(value: t.Any, text: str, name: str = "") -> t.Any:
    if isinstance(value, dict):
        return {key: _filled(item, text, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, text, name) for item in value]
    return text if name in _FOREIGN and isinstance(value, str) else value


@functools.cache
def _sample() -> dict[str, t.Any]:
    return sample(6)


def _audit(text: str) -> dict[str, t.Any]:
    filled: dict[str, t.Any] = _filled(_sample(), text)
    return filled


def _terminal(text: str) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        show(["  ok  %s" % text, text], 60)
    return output.getvalue()


class _Action(DirectAction):
    """An action that has done its work. It is made without a task."""

    work_of = Task({}, lambda params, shell, check: pytest.fail("not to be called"))
    playbook = ""
    _task: t.Any = types.SimpleNamespace(check_mode=False)


def _result(text: str) -> dict[str, t.Any]:
    result = {
        "failed": True,
        "msg": text,
        "sentence": text,
        "reasons": [text],
        "warnings": [text],
        "diff": [difference(text, {"description": text}, {"description": "x" + text})],
        "partner": {"description": text},
    }
    found = _Action.__new__(_Action)._finished(result, {})
    assert found.pop("partner") == {"description": text}  # a value that is compared or written back stays exact
    return found


def _message(*names: str) -> t.Callable[[str], str]:
    return lambda text: "\n".join(map(str, _leaves([_result(text)[name] for name in names])))


def _leaves(value: t.Any) -> t.Iterator[t.Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _impact(text: str) -> dict[str, t.Any]:
    lost = Ways(May.YES, May.YES), Ways(May.NO, May.NO)
    before, after = (Reach({"ann": Ways(May.YES, May.YES)}, {text: side}) for side in lost)
    return impact(before, after, {"ann": text}).as_dict()


def _plan(text: str) -> str:
    before, values = {"description": "", "additional_domains": []}, {"description": text, "additional_domains": [text]}
    call: dict[str, t.Any] = {"Description": text, "AdditionalDomains": (text,)}
    grant = {"PolicyName": text}
    steps = [
        Step("Set-CsXmppAllowedPartner", text, call, before=before, after=values, expect=values, part="partners"),
        Step("Grant-CsExternalAccessPolicy", text, grant, after={"policy": text}, expect={}, part="grants"),
    ]
    lines = summary.block(steps, summary.summarise(steps, 0), deployment=text, host="h" + text, check=True)
    result = {
        "identity": {"pools": [text], "sip_domains": [text]},
        "report": lines,
        "warnings": [text],
        "steps": [one.shown("planned") for one in steps],
        "impact": _impact(text),
    }
    return plan_markdown.render(
        result, label=text, host=text, user=text, account=text, time="2026-11-24T06:00:00Z", collection="1", ticket=text
    )


def _export(text: str) -> str:
    variables: dict[str, t.Any] = {variable: [] for variable in CONTENT}
    found = export.Exported({**variables, "sfb_xmpp_partners": [{"domain": text}]}, (text,))
    return "".join(export.files(found, deployment=text, host=text).values())


def _inventory(text: str) -> str:
    written = inventory_text({"a": text, text: [text, "{{" + text]})
    assert inventory_values(written) == {"a": text, text: [text, "{{" + text]}
    return written


def _json(text: str) -> str:
    written = json_text({text: [text]}, indent=1)
    assert json.loads(written) == {text: [text]}
    return written


def _journal(text: str) -> str:
    """The file, and the line that syslog gets."""
    with tempfile.TemporaryDirectory(prefix="sfb.") as directory:
        path = os.path.join(directory, "log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(path)
            line = {"time": "2026-11-24T06:00:00Z", "message": text, "objects": {"partner": [text]}}
            written = journal.append(os.path.join(directory, "state"), line)
            journal.to_syslog(written, path)
            sent = log.recv(1 << 16).decode().rstrip("\0")
    assert json.loads(written)["message"] == text
    assert written.rstrip("\n") in sent
    return sent


def _junit(text: str) -> str:
    cases = [junit.Case(text, text, (text,), output=(text,)), junit.Case(text, text, errors=(text,))]
    written = junit.junit(text, "2026-11-24T06:00:00Z", cases)
    ET.fromstring(written)
    return written


def _sheets(text: str) -> str:
    cells = short_document.Table((text,), ((text,),))
    forms = (short_document.Heading, short_document.Paragraph)
    parts = [*(one(text) for one in forms), short_document.Points((text,)), cells, short_document.Code((text,))]
    own, partner = [text], {"domain": text, "additional_domains": [text]}
    kinds: tuple[short_document.Form, ...] = ("markdown", "text")
    return "".join(
        short_document.render(parts, form)
        + decommission.ending_sheet(partner, own, text, form)
        + decommission.records_sheet(own, form)
        for form in kinds
    )


def _history(text: str) -> str:
    run = {"user": text, "account": text, "outcome": "failed", "message": text, "snapshot": text, "playbook": text}
    found = history.runs(json.dumps(run) + "\n" + text)
    return "\n".join(history.run_lines(found)) + history.markdown_table(found)


def _rehearsal(text: str) -> str:
    run = {"name": text, "seconds": 1.0, "result": "failed", "summary": None, "message": text}
    value = {"collection": "1", "inventory": text, "profile": text, "time": "2026-11-24T06:00:00Z", "runs": [run]}
    return rehearsal.as_markdown({**value, "findings": [], "skipped": [{"name": text, "reason": text}]})


SINKS: dict[str, t.Callable[[str], str]] = {
    "terminal lines": _terminal,
    "result: msg, sentence, reasons": _message("msg", "sentence", "reasons"),
    "Display: warnings": _message("warnings"),
    "diff": _message("diff"),
    "markdown": lambda text: markdown.text(text) + markdown.code(text) + markdown.block([text]),
    "audit.md": lambda text: audit_markdown.render(_audit(text)),
    "HTML": lambda text: audit_page.render(_audit(text)),
    "JUnit": _junit,
    "Prometheus": lambda text: audit_prometheus.render(_audit(text)),
    "journal and syslog": _journal,
    "history": _history,
    "sheets and zone lines": _sheets,
    "rehearsal.md": _rehearsal,
    "exported YAML": _export,
    "inventory text": _inventory,
    "plan.md": _plan,
    "JSON: plan files, captures": _json,
}
# In a file for people every character is seen, or is one of these spaces.
_SPACES = "\n\u00a0\u2009\u202f"
KINDS = {
    "escape": "a\x1b[2Jb",
    "carriage return": "a\rb",
    "C1": "a\x9b31m\x85b",
    "bidi": "a\u202eb\u2066",
    "zero width": "a\u200bb\ufeff\u00ad\u200e",
    "separators": "a\u2028b\u2029",
    "tags": "a\U000e0041b",
    "noncharacters": "a\ufffe\U0010ffff",
    "delete and zero": "a\x7fb\0",
    "letters": "bücher 中文 😀",
}


def raw(text: str) -> str:
    return "".join(sorted({c for c in text if not c.isprintable() and c not in _SPACES}))


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_text_leaves_a_sink_raw(sink: str, kind: str) -> None:
    written = SINKS[sink](KINDS[kind])
    assert not raw(written), ascii(raw(written))
    if kind == "letters" and sink != "Prometheus":
        assert "bücher" in written  # nothing is escaped that can be read


@pytest.mark.parametrize("sink", SINKS)
@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("\n")
def test_no_text_leaves_a_sink_raw(sink: str, text: str) -> None:
    written = SINKS[sink](text)
    assert not raw(written), ascii(raw(written))


def test_line_feeds_of_others_are_seen() -> None:
    """Only a message keeps them: its lines are ours."""
    assert one_line("a\nb") == "a\\nb"
    assert in_lines("a\n\rb") == "a\n\\rb"
    assert _terminal("a\nok=9").count("\n") == 2
    assert "a\\\\nb" in SINKS["Prometheus"]("a\nb")
