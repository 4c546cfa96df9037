# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The prose of a page, a module's documentation or a Python file, as passages and sentences.

Code, comments and the options of directives are left out. Each heading, paragraph, list item and table cell is a
passage of its own.
"""

from __future__ import annotations

import ast
import csv
import inspect
import io
import re
import tokenize
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

# Directives with text in them. Everything else that begins with two dots is left out with what is indented below it.
TEXTS = ("note", "warning", "tip", "important", "seealso", "admonition", "figure", "list-table", "csv-table", "details")
# A literal or a reference without a text counts as one word.
WORD = "Code"
ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|etc|vs|No|approx)\.$")
_MARKER = re.compile(r"(?:\* - |[*-] |#\. |\d+\. |\* -$|-$)")
# Comments that speak to a program, and the header of a file.
_NO_COMMENT = re.compile(r"noqa|type:|fmt:|pylint|!/|-\*-|Copyright|GNU General|SPDX|pragma|mypy:|ruff:")
_UNDERLINE = re.compile(r"([=\-~^\"'+])\1{2,}$")


@dataclass(frozen=True)
class Passage:
    """Text of one kind (title, text, item, cell), with its first and last line, counted from 1, and its indentation."""

    kind: str
    text: str
    first: int
    last: int
    indent: int = 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block_end(lines: t.Sequence[str], start: int, indent: int) -> int:
    """The first line from ``start`` on that is not blank and not indented more than ``indent``."""
    while start < len(lines) and (not lines[start].strip() or _indent(lines[start]) > indent):
        start += 1
    return start


def _columns(ruler: str) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = [(m.start(), m.end()) for m in re.finditer(r"=+", ruler)]
    return [*found[:-1], (found[-1][0], None)]


def _simple_table(lines: t.Sequence[str], start: int) -> tuple[list[Passage], int]:
    """The cells of a table between lines of equals signs, and the line after it."""
    columns = _columns(lines[start])
    found: list[Passage] = []
    rulers, at = 1, start + 1
    while at < len(lines) and rulers < 3:
        if set(lines[at]) <= {"=", " "} and "=" in lines[at]:
            rulers += 1
        elif lines[at].strip():
            for first, last in columns:
                if text := lines[at][first:last].strip():
                    found.append(Passage("cell", text, at + 1, at + 1))
        at += 1
    return found, at


def of_rst(text: str) -> list[Passage]:
    """The passages of a page in reStructuredText."""
    lines, found, at = text.splitlines(), [], 0
    tables: list[int] = []  # indentation of the list-tables around the current line
    while at < len(lines):
        line = lines[at]
        stripped, indent = line.strip(), _indent(line)
        if not stripped:
            at += 1
            continue
        tables = [one for one in tables if indent > one]
        if stripped.startswith(".. ") or stripped == "..":
            match = re.match(r"\.\. ([\w-]+):: ?(.*)", stripped)
            if match is None or match[1] not in TEXTS:
                at = _block_end(lines, at + 1, indent)
                continue
            name, argument = match[1], match[2]
            if argument and name != "figure":
                found.append(Passage("title", argument, at + 1, at + 1, indent))
            at += 1
            while at < len(lines) and re.match(r" +:[\w-]+:", lines[at]):
                if (head := re.match(r" +:header: (.*)", lines[at])) is not None:
                    cells = next(csv.reader([head[1]], skipinitialspace=True))
                    found += [Passage("cell", one, at + 1, at + 1, indent) for one in cells]
                at += 1
            if name == "csv-table":
                end = _block_end(lines, at, indent)
                rows = [(n, one.strip()) for n, one in enumerate(lines[at:end], at + 1) if one.strip()]
                for number, row in rows:
                    for cell in next(csv.reader([row], skipinitialspace=True)):
                        found.append(Passage("cell", cell, number, number, indent))
                at = end
            elif name == "list-table":
                tables.append(indent)
            continue
        if re.match(r"=+ +=", stripped):
            in_table, at = _simple_table(lines, at)
            found += in_table
            continue
        if at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]) and indent == 0:
            found.append(Passage("title", stripped, at + 1, at + 1))
            at += 2
            continue
        first, kind = at, "text"
        body = stripped
        while (match := _MARKER.match(body)) is not None:
            kind = "cell" if tables else "item"
            indent += match.end()
            body = body[match.end() :].strip()
            if not body:
                break
        parts = [body] if body else []
        at += 1
        while at < len(lines) and lines[at].strip() and _indent(lines[at]) == indent and parts:
            if _MARKER.match(lines[at].strip()) or lines[at].strip().startswith(".. "):
                break
            parts.append(lines[at].strip())
            at += 1
        if not parts:
            continue
        joined = " ".join(parts)
        found.append(Passage(kind, joined.removesuffix("::"), first + 1, at, indent))
        if joined.endswith("::"):
            at = _block_end(lines, at, indent)
    return found


def of_markdown(text: str) -> list[Passage]:
    """The passages of a page in Markdown."""
    # Comments and fenced code give way to empty lines, so that the numbers of lines stay.
    text = re.sub(
        r"^<!--.*?-->|^( *)```.*?^\1```$", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE
    )
    lines, found, at = text.splitlines(), [], 0
    while at < len(lines):
        line = lines[at]
        stripped = line.strip()
        indent = _indent(line)
        if not stripped:
            at += 1
        elif match := re.match(r"#+ (.*)", stripped):
            found.append(Passage("title", match[1], at + 1, at + 1))
            at += 1
        elif stripped.startswith("|"):
            if not re.fullmatch(r"[|\-: ]+", stripped):
                cells = re.split(r"(?<!\\)\|", stripped.strip("|"))
                found += [Passage("cell", one.strip(), at + 1, at + 1) for one in cells if one.strip()]
            at += 1
        elif indent >= 4 and not lines[at - 1].strip() and not any(one.kind == "item" for one in found[-1:]):
            at = _block_end(lines, at, indent - 1)
        else:
            first, kind, body = at, "text", stripped.removeprefix("> ")
            if match := re.match(r"[*-] (?:\[.\] )?|\d+\. ", body):
                kind, body, indent = "item", body[match.end() :].strip(), indent + match.end()
            parts = [body]
            at += 1
            while at < len(lines) and lines[at].strip() and not re.match(r" *(?:[*-] |\d+\. |\||#)", lines[at]):
                parts.append(lines[at].strip())
                at += 1
            found.append(Passage(kind, " ".join(parts), first + 1, at, indent))
    return found


def _strings(value: t.Any, key: str = "") -> t.Iterator[str]:
    """The texts of a module's documentation; its examples are code."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in ("EXAMPLES", "sample", "default", "choices", "ref", "link", "version_added", "author"):
                yield from _strings(one, str(name))
        if isinstance(value.get("choices"), dict):  # choices with a text each
            yield from (str(one) for one in value["choices"].values())
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, key)
    elif isinstance(value, str) and key in ("description", "short_description", "notes", "requirements", "details", ""):
        yield value


def of_documentation(text: str) -> list[Passage]:
    """The texts of a module's .yml file, of a doc fragment, or of a role's argument specs."""
    found = []
    for part in yaml.safe_load_all(text):
        found += [Passage("text", " ".join(one.split()), 1, 1) for one in _strings(part)]
    return found


def of_messages(text: str) -> list[Passage]:
    """The string literals of a Python file that read as text: three words at least.

    Docstrings, and lists of words that are split at once, are left out.
    """
    tree, found = ast.parse(text), []
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "split" and isinstance(node.value, ast.Constant):
            left_out.add(node.value)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            head = node.body[0] if node.body else None
            if isinstance(head, ast.Expr) and isinstance(head.value, ast.Constant):
                left_out.add(head.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out:
            words = re.findall(r"[A-Za-z%][\w%'\u2019]*", node.value)
            if len(words) < 3 or " " not in node.value:
                continue
            if re.search(r"^(?:DOCUMENTATION|options:|description:)", node.value.strip(), re.MULTILINE):
                found += of_documentation(node.value)
            else:
                found.append(Passage("text", node.value, node.lineno, node.end_lineno or node.lineno))
    return found


def of_remarks(text: str) -> list[Passage]:
    """The docstrings and the comments of a Python file. A comment of several lines is one passage."""
    found: list[Passage] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            head = node.body[0] if node.body else None
            if (
                isinstance(head, ast.Expr)
                and isinstance(head.value, ast.Constant)
                and isinstance(head.value.value, str)
            ):
                # Each attribute or argument of a list is a passage of its own.
                text_ = re.sub(r"\n(?=\w+(?:, \w+)*: )", "\n\n", inspect.cleandoc(head.value.value))
                found += [replace(one, first=head.lineno, last=head.end_lineno or 0) for one in of_rst(text_)]
    block: list[str] = []
    start = last = 0
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [
        (one.start[0], one.start[1], one.string.lstrip("#").strip()) for one in tokens if one.type == tokenize.COMMENT
    ]
    column = -1
    for line, at, words_ in [*comments, (-1, -1, "")]:
        if block and (line != last + 1 or at != column):
            found.append(Passage("text", " ".join(block), start, last))
            block = []
        if not words_ or _NO_COMMENT.match(words_) or line < 0:
            continue
        if not block:
            start, column = line, at
        block.append(words_)
        last = line
    return found


READERS: dict[str, t.Callable[[str], list[Passage]]] = {
    ".rst": of_rst,
    ".md": of_markdown,
    ".yml": of_documentation,
    ".py": of_messages,
}


def passages(path: Path) -> list[Passage]:
    """The passages of a file, by the ending of its name."""
    return READERS[path.suffix](path.read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """The text as it is read: without marks, each literal as one word."""
    text = re.sub(r"``[^`]+``", WORD, text)
    text = re.sub(r":[\w:]+:`([^`<]*?)\s*<[^>]+>`|`([^`<]+?)\s*<[^>]+>`__?", lambda m: m[1] or m[2] or WORD, text)
    text = re.sub(r":[\w:]+:`[^`]+`", WORD, text)
    text = re.sub(r"(?<![`\w])`[^`<]+`(?![_`])", WORD, text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\b[CVO]\([^)]*\)|\b(?:RV|E|M|P|U)\([^)]*\)", WORD, text)
    text = re.sub(r"\b[RL]\(([^,]*),[^)]*\)|\b[IB]\(([^)]*)\)", lambda m: m[1] or m[2] or "", text)
    text = re.sub(r"https?://\S+", WORD, text)
    # A list of names reads as one.
    text = re.sub(r"\b%s(?:,? (?:and |or )?%s\b)+" % (WORD, WORD), WORD, text)
    return re.sub(r"\*\*?(?=\S)|(?<=\S)\*\*?", "", text)


def sentences(text: str) -> list[str]:
    """The sentences of a passage. Lines of a text count each, since a message may be a list."""
    found: list[str] = []
    for line in re.split(r"\n+", plain(text)):
        parts: list[str] = []
        for part in re.split(r"(?<=[.!?])(?:[\"')\]]*)\s+(?=[\"'(\[]*[A-Z0-9%])", line.strip()):
            if parts and ABBREVIATIONS.search(parts[-1]):
                parts[-1] += " " + part
            else:
                parts.append(part)
        found += [part.strip() for part in parts if part.strip()]
    return found


def words(sentence: str) -> int:
    """How many words a sentence has."""
    return sum(1 for word in sentence.split() if re.search(r"\w", word))
