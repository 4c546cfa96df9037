# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the rules of CONTRIBUTING.md on language: words that must not come back, long sentences, gendered pronouns.

``python -m tests.unit.test_language`` prints the average length of the sentences of each page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.unit.prose import Passage, of_markdown, of_messages, of_remarks, of_rst, passages, plain, sentences, words

TOP = Path(__file__).resolve().parents[2]
GUIDES = sorted((TOP / "docs" / "docsite" / "rst").glob("guide_*.rst"))
PLAYBOOKS = sorted((TOP / "docs" / "docsite" / "rst").glob("playbook_*.rst"))
PAGES = [*GUIDES, *PLAYBOOKS, TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "docs" / "docsite" / "front.rst"]
# Messages and the documentation of modules.
CODE = sorted(
    path
    for pattern in ("plugins/**/*.py", "plugins/**/*.yml", "roles/*/meta/argument_specs.yml", "roles/*/README.md")
    for path in TOP.glob(pattern)
)
# Docstrings and comments.
SOURCES = sorted(path for pattern in ("plugins/**/*.py", "lab/**/*.py", "tools/*.py") for path in TOP.glob(pattern))
LONGEST, AVERAGE = 30, 17

# Pattern -> what to write instead. Literals (``in_force``) are not prose and may have any of them.
PATTERNS = {
    r"(?:he|him|his|himself|she|her|hers|herself)": "they, or name the user",
    r"who(?:m|se)?ever": "users who …, anyone who …",
    r"(?:whence|thence|hence|hither|thither|whither)": "from where, therefore",
    r"(?:where|there|here)(?:of|by|in|upon|to|with|from)(?<!thereto)": "name the thing",
    r"besides": "also, in addition",
    r"anew": "again; for a secret: replaced",
    r"lest": "so that … not",
    r"(?:come|comes|came|coming) about": "happens; for a session: cannot connect",
    r"be it": "whether",
    r"what is there": "name the objects",
    r"the likes? of": "a similar …",
    r"one that is": "name the thing",
    r"what stands": "name the thing",
    r"stands? in (?:the |a |an |its |:?\w+`)(?!way)": "is in",
    r"(?:of|by) which": "two sentences, or that",
    r"by it": "name the thing",
    r"of whom": "two sentences",
    r"set anew|taken? further|mak(?:e|es|ing) it so|go(?:es|ing)? it": "replace, apply",
    r"(?:declared|risky) rows?": "settings of a partner",
    r"what is (?:said|declared)": "the declared …",
    r"(?:is|are|was|be|been|not) said": "is declared, is stated",
    r"nothing is said": "is not declared",
    r"await\w*": "wait for",
    r"people|somebody|someone|nobody|everybody": "users, administrators, the partner's administrators; no user",
    r"(?:left|leaves?|leaving) \w* ?alone|kept away|let alone": "is not changed, is skipped",
    r"(?:way|the way) (?:back|out)|the way in": "restore, snapshot; remove XMPP; connection",
    r"go(?:es|ing)? back": "roll back, restore",
    r"judged?|judges|judging": "check, compare",
    r"in force|into force": "in effect; for certificates: in use",
    r"not observable": "not checked, unknown",
    r"riddle": "unexpected",
    r"at hand": "available",
    r"as good as": "nearly",
    r"befall\w*|betray\w*|forthwith|henceforth|hitherto|thus|nay|ere|amid|amongst|whilst|upon|albeit": "a common word",
    r"in the like|and the like|alike": "and similar …",
    r"of its own accord|by itself alone": "automatically",
    r"bear(?:s|ing)? the name": "has the name",
    r"fits? the bill|as it were|so to speak|goes without saying": "leave it out",
}
BANNED = re.compile("|".join(r"(?P<p%d>\b(?:%s)\b)" % pair for pair in enumerate(PATTERNS)), re.IGNORECASE)


def problems(passage: Passage) -> list[str]:
    """What is wrong with a passage."""
    found = []
    for match in BANNED.finditer(plain(passage.text)):
        found.append("line %d: '%s': write %s" % (passage.first, match[0], _instead(match)))
    for one in sentences(passage.text):
        if words(one) > LONGEST:
            found.append("line %d: %d words: %s" % (passage.first, words(one), one))
    return found


def _instead(match: re.Match[str]) -> str:
    return next(text for number, text in enumerate(PATTERNS.values()) if match["p%d" % number] is not None)


def of_file(path: Path) -> list[str]:
    return [problem for passage in passages(path) for problem in problems(passage)]


def average(path: Path) -> tuple[int, int]:
    """Words and number of the whole sentences of a page: headings and cells without a full stop do not count."""
    whole = [
        one
        for passage in passages(path)
        if passage.kind != "title"
        for one in sentences(passage.text)
        if one.rstrip(")\"'").endswith((".", "!", "?", ":"))
    ]
    return sum(words(one) for one in whole), len(whole)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_follows_the_rules(path: Path) -> None:
    assert of_file(path) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(TOP)))
def test_messages_and_options_follow_the_rules(path: Path) -> None:
    assert of_file(path) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TOP)))
def test_docstrings_and_comments_follow_the_rules(path: Path) -> None:
    remarks = of_remarks(path.read_text(encoding="utf-8"))
    assert [problem for remark in remarks for problem in problems(remark)] == []


def test_sentences_of_the_guides_are_short() -> None:
    counts = [average(path) for path in GUIDES]
    assert sum(count for count, _number in counts) / sum(number for _count, number in counts) < AVERAGE
    assert all(count / number < AVERAGE for count, number in counts)


def test_what_is_read_of_a_page() -> None:
    page = (
        ".. note::\n\n   Some ``code of which`` text.\n   More :ref:`words <label>`. And e.g. Others.\n\n"
        ".. code-block:: text\n\n   whoever\n\n.. a comment: whoever\n\n"
        ".. list-table:: Title\n   :widths: 1 2\n\n   * - A cell\n     - goes on\n       here\n\n"
        "Term\n    Text::\n\n        lest\n"
    )
    read = of_rst(page)
    assert [(one.kind, plain(one.text)) for one in read] == [
        ("text", "Some Code text. More words. And e.g. Others."),
        ("title", "Title"),
        ("cell", "A cell"),
        ("cell", "goes on here"),
        ("text", "Term"),
        ("text", "Text"),
    ]
    assert sentences(read[0].text) == ["Some Code text.", "More words.", "And e.g. Others."]
    marked = of_markdown("# Head\n\n```text\nlest\n```\n\n| a | b c |\n|---|---|\n\n- item [x](y)\n  more\n")
    assert [(one.kind, plain(one.text)) for one in marked] == [
        ("title", "Head"),
        ("cell", "a"),
        ("cell", "b c"),
        ("item", "item x more"),
    ]
    remarks = of_remarks('"""Head.\n\nkey: one.\nother: two.\n"""\nx = 1  # A remark\n# goes\n# on.\n')
    assert [one.text for one in remarks] == ["Head.", "key: one.", "other: two.", "A remark", "goes on."]
    (message,) = of_messages('"""Lest it."""\nx = ("one two "\n  "three")\ny = "key"\n')
    assert message.text == "one two three"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Whoever reads it", 1),
        ("The value is in ``in_force``.", 0),
        ("It is used by its users.", 0),
        ("Tell the user what he needs and his policy.", 2),
        ("a " * 31 + "word.", 1),
        ("a " * 29 + "word.", 0),
    ],
)
def test_what_is_found(text: str, found: int) -> None:
    assert len(problems(Passage("text", text, 1, 1))) == found


if __name__ == "__main__":
    total = [0, 0]
    for page in PAGES:
        count, number = average(page)
        total = [total[0] + count, total[1] + number]
        print("%-36s %5d sentences, %5.1f words" % (page.name, number, count / number))
    print("%-36s %5d sentences, %5.1f words" % ("all", total[1], total[0] / total[1]))
    sys.exit(0)
