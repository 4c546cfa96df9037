/* Copyright (c) 2026 the sfb.xmpp authors
   GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later
   Search, filters and sorting of the table of partners in audit.html. The page is complete without it. */
"use strict";
const table = document.getElementById("partner-table");
if (table) {
  const form = document.getElementById("partner-filter");
  const status = document.getElementById("partner-status");
  const [search, verdict, method] = form.elements;
  const groups = [...table.tBodies];
  const flat = document.createElement("tbody");
  flat.hidden = true;
  table.append(flat);
  const rows = groups.flatMap((group) => [...group.rows].slice(1).map((row) => ({
    row, group, text: row.textContent.toLowerCase().replace(/\s+/g, " "), verdict: row.dataset.v, method: row.dataset.m,
  })));
  const number = new Intl.NumberFormat("en");

  const show = () => {
    const wanted = search.value.toLowerCase().trim().split(/\s+/);
    let shown = 0;
    for (const one of rows) {
      const fits = wanted.every((word) => one.text.includes(word))
        && (!verdict.value || one.verdict === verdict.value) && (!method.value || one.method === method.value);
      one.row.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) {
      group.hidden = !flat.hidden || !rows.some((one) => one.group === group && !one.row.hidden);
    }
    status.textContent = `${number.format(shown)} of ${number.format(rows.length)} partners`;
  };

  /* By verdict: in groups, as the page was written; by anything else: all in one. */
  const sort = (column, header) => {
    const up = header.getAttribute("aria-sort") !== "ascending";
    const grouped = header.dataset.grouped !== undefined;
    const key = ({ row }) => row.cells[column].dataset.k ?? row.cells[column].textContent.trim().toLowerCase();
    const keyed = rows.map((one) => [key(one), one]);
    const collator = new Intl.Collator("en", { numeric: true });
    keyed.sort(([a], [b]) => (a === "") - (b === "") || (up ? 1 : -1) * collator.compare(a, b));
    flat.hidden = grouped;
    for (const [, one] of grouped ? rows.map((one) => [0, one]) : keyed) (grouped ? one.group : flat).append(one.row);
    if (grouped) for (const group of up ? groups : [...groups].reverse()) table.append(group);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    show();
  };

  [...table.tHead.rows[0].cells].forEach((header, column) => {
    if (header.dataset.plain !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(column, header));
    header.append(button);
    if (header.dataset.grouped !== undefined) header.setAttribute("aria-sort", "ascending");
  });
  table.classList.add("sortable");
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  /* A link to a partner shows it, whatever was searched for. */
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.hidden) {
      form.reset();
      show();
      target.scrollIntoView();
    }
  });
  show();
}
/* Paper shows everything. */
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) {
    one.open = true;
    one.dataset.printed = "";
  }
});
addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("details[data-printed]")) {
    one.open = false;
    delete one.dataset.printed;
  }
});
