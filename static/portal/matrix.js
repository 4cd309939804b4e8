"use strict";

// Comfort for the matrix: newest week in sight, cities folded, arrow keys in place of 52 tab stops a row.
(() => {
  for (const element of document.querySelectorAll("[data-newest]")) element.scrollLeft = element.scrollWidth;
  const table = document.querySelector(".matrix");
  if (!table) return;

  const links = (within) => within.querySelectorAll("td > a");
  const prepare = (within) => {
    for (const button of within.querySelectorAll("button.fold")) button.hidden = false;
    for (const link of links(within)) link.tabIndex = -1;
  };
  prepare(table);
  const first = table.querySelector("td > a");
  if (first) first.tabIndex = 0;
  document.body.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) prepare(event.target);
  });

  table.addEventListener("click", (event) => {
    const button = event.target.closest("button.fold");
    if (!button) return;
    const folded = button.closest("tbody").classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
  });

  // What a reader hears at a cell: school, week, state.
  const words = new Map(
    [...document.querySelectorAll(".legend li")].map((li) => [
      li.firstElementChild.textContent,
      li.lastChild.textContent.trim(),
    ]),
  );
  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    const school = cell.parentElement.cells[0].querySelector("a").textContent;
    const week = table.tHead.rows[0].cells[cell.cellIndex].title;
    event.target.setAttribute("aria-label", `${school}，${week}，${words.get(event.target.textContent)}`);
  });

  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    const step = steps[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    let [row, column] = [cell.parentElement.rowIndex, cell.cellIndex];
    for (;;) {
      row += step[0];
      column += step[1];
      const next = table.rows[row]?.cells[column];
      if (!next || column < 1) return;
      const link = next.querySelector("a");
      if (!link || !link.offsetParent) continue;
      event.target.tabIndex = -1;
      link.tabIndex = 0;
      link.focus();
      return;
    }
  });
})();
