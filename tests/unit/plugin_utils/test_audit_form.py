# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of audit.json: what is written fits it, what does not fit is named, and no number disagrees with another."""

from __future__ import annotations

import copy
import json
import random
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_texts as words
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import (
    Audit,
    check,
    mistakes,
    parse,
    schema,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_files import previous, save
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.finding_order import SEVERITIES, reached
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit import make_audit
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plugin_utils.audit_sample import partner, sample, stamp
from tools import schema_pages

SMALL = sample(12, previous=sample(9, seed=2))
# One of each form is enough.
for _kind in ("events", "partners"):
    del SMALL["what_if"][_kind][1:]
del SMALL["what_if"]["partners"][0]["then"][1:]


def places(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The path of every value in a document, but of free ones."""
    yield path
    if path and path[-1] in ("parameters", "before", "after"):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(document: Audit, path: tuple[t.Any, ...], value: t.Any) -> t.Any:
    """A copy with another value at a place; with ... that place is left out."""
    if not path:
        return {} if value is ... else value
    result = copy.deepcopy(document)
    holder: t.Any = result
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return result


def test_what_is_made_fits_the_schema() -> None:
    for audit in (SMALL, sample(0), sample(3, hostile=True)):
        assert mistakes(audit) == []
        assert parse(json.dumps(audit)) == audit


def test_every_key_that_is_made_is_described() -> None:
    """No key is written that the schema does not know."""

    def unknown(value: t.Any, rule: t.Any, place: str) -> t.Iterator[str]:
        if "$ref" in rule:
            rule = schema()["$defs"][rule["$ref"].rpartition("/")[2]]
        if "anyOf" in rule:
            rule = {} if value is None else rule["anyOf"][-1]
        if isinstance(value, dict) and "properties" in rule:
            for name, item in value.items():
                if name not in rule["properties"]:
                    yield "%s.%s" % (place, name)
                else:
                    yield from unknown(item, rule["properties"][name], "%s.%s" % (place, name))
        if isinstance(value, list) and "items" in rule:
            for item in value:
                yield from unknown(item, rule["items"], place + "[]")

    assert list(unknown(SMALL, schema(), "")) == []


@settings(deadline=None)
@given(
    st.sampled_from(list(places(SMALL))),
    st.sampled_from([..., None, True, 1, -1, 99, "x", "ok", [], {}, [1], {"a": 1}]),
)
def test_it_finds_what_a_whole_validator_finds(path: tuple[t.Any, ...], value: t.Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = changed(SMALL, path, value)
    expected = jsonschema.Draft202012Validator(schema()).is_valid(document)
    assert (mistakes(document) == []) == expected, (path, value, mistakes(document))


def test_the_schema_is_a_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("partners", 3, "verdict"), "fine", "partners[3].verdict must be one of failed"),
        (("partners", 3, "certificate_end"), "2026-11-24", "partners[3].certificate_end must match ^"),
        (("drift", "added"), -1, "drift.added must be at least 0"),
        (("drift", "added"), True, "drift.added must be integer"),
        (("own",), ..., "own is missing"),
        (("findings", 0, "severity"), ..., "findings[0].severity is missing"),
        (("certificates",), {}, "certificates must be array"),
    ],
)
def test_mistakes_name_the_place(path: tuple[t.Any, ...], value: t.Any, expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(changed(SMALL, path, value))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": 2}', '{"schema": true}', "[" * 100000, '{"schema": 1}']
)
def test_another_file_is_not_taken_for_an_audit(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_order_and_counts_follow_from_what_was_gathered() -> None:
    audit = sample(200)
    assert [SEVERITIES.index(one["severity"]) for one in audit["findings"]] == sorted(
        SEVERITIES.index(one["severity"]) for one in audit["findings"]
    )
    assert sum(audit["summary"]["findings"].values()) == len(audit["findings"])
    assert sum(audit["summary"]["partners"].values()) == len(audit["partners"]) == 200
    assert audit["summary"]["drift"] == sum(audit["drift"][word] for word in words.DRIFT) == 7
    assert [one["days_left"] for one in audit["certificates"]] == [19, 211, 211]


def test_the_order_of_what_was_gathered_does_not_matter() -> None:
    audit = sample(50)
    names = ("collection", "deployment", "time", "host", "own", "drift", "what_if")
    parts = {name: audit[name] for name in names}
    lists: dict[str, t.Any] = {name: list(audit[name]) for name in ("findings", "partners", "policies", "certificates")}
    for values in lists.values():
        random.Random(3).shuffle(values)
    assert make_audit(**parts, **lists, forecast=audit["forecast"]) == audit


def test_a_verdict_that_no_finding_explains_becomes_one() -> None:
    """Or a partner that does not work would not fail the run."""
    audit = sample(300)
    parts = {name: audit[name] for name in ("collection", "deployment", "time", "host", "own", "drift")}
    lists = {name: audit[name] for name in ("partners", "policies", "certificates")}
    bare = make_audit(**parts, **lists, findings=[])
    failed = [one["domain"] for one in audit["partners"] if one["verdict"] == "failed"]
    assert failed
    assert [one["object"] for one in reached(bare["findings"])] == failed
    assert bare["summary"]["findings"]["unknown"] == audit["summary"]["partners"]["not_observable"] > 0


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("partners", [{"domain": "a.example"}], "partners[0].verdict is missing"),
        ("certificates", [{"host": "edge01"}], "certificates[0].not_after is missing"),
        ("drift", {"added": 1}, "drift.changed is missing"),
        ("findings", [{"code": "x"}], "findings[0].severity is missing"),
        ("time", "today", "time must match ^"),
    ],
)
def test_a_part_that_is_not_in_order_is_named(name: str, value: t.Any, told: str) -> None:
    names = "collection deployment time host own drift findings partners policies certificates".split()
    parts = {one: SMALL[one] for one in names}
    with pytest.raises(Invalid) as caught:
        make_audit(**{**parts, name: value})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("fail_on", "severities"),
    [
        ("error", {"error"}),
        ("unknown", {"error", "unknown"}),
        ("warning", {"error", "unknown", "warning"}),
        ("info", {"error", "unknown", "warning", "info"}),
        ("never", set()),
    ],
)
def test_what_makes_a_run_fail(fail_on: str, severities: set[str]) -> None:
    audit = sample(200)
    found = reached(audit["findings"], fail_on)
    assert {one["severity"] for one in found} == severities
    assert len(found) == sum(audit["summary"]["findings"][word] for word in severities)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(Invalid, match="fail_on: 'errors' must be one of error, unknown"):
        reached([], "errors")


@pytest.mark.parametrize(
    ("change", "state", "told"),
    [
        ({}, "ok", "Everything is as declared; 2 partners work."),
        ({"verdict": "failed"}, "failed", "1 of 2 partners does not work."),
        ({"verdict": "not_observable"}, "not_observable", "1 partner could not be checked."),
        ({"verdict": "not_probed"}, "not_observable", "1 partner could not be checked."),
        ({"verdict": "warning"}, "warning", "1 partner needs attention."),
    ],
)
def test_the_headline_says_the_worst(change: dict[str, str], state: str, told: str) -> None:
    drift = dict.fromkeys(words.DRIFT, 0)
    audit = make_audit(
        collection="1",
        deployment="d",
        time=stamp(0),
        host="h",
        own={"domains": [], "edge_pool": None, "access_edge_fqdn": None, "edges": []},
        findings=[],
        partners=[partner("a.example"), {**partner("b.example"), **change}],
        policies=[],
        certificates=[],
        drift={**drift, "unchanged": 2, "steps": []},
    )
    assert (words.state(audit), words.headline(audit)) == (state, told)


def test_files_come_back_and_only_numbers_are_for_everybody(tmp_path: t.Any) -> None:
    place = tmp_path / "new" / "audit"
    assert previous(str(place)) is None
    paths = save(str(place), SMALL)
    assert sorted(path.name for path in place.iterdir()) == sorted(path.rpartition("/")[2] for path in paths)
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.iterdir()}
    assert modes == {
        "audit.json": 0o600,
        "audit.md": 0o600,
        "audit.html": 0o600,
        "audit.xml": 0o600,
        "audit.prom": 0o644,
    }
    assert previous(str(place)) == SMALL
    (place / "audit.json").write_text("{}")
    with pytest.raises(Invalid):
        previous(str(place))


def test_a_place_that_cannot_be_written_is_named(tmp_path: t.Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as caught:
        save(str(tmp_path / "file" / "audit"), SMALL)
    assert caught.value.reasons[0].startswith("sfb_xmpp_into: the directory %s" % (tmp_path / "file" / "audit"))


def test_the_pages_of_the_documentation_are_the_schemas() -> None:
    for path, text in schema_pages.pages().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m tools.schema_pages"
