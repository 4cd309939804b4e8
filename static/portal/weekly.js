"use strict";

// What the weekly form asks about its figures, shown as one types; draft.js keeps what is typed.
(() => {
  const form = document.getElementById("weekly");
  if (!form) return;

  // --- Changes and what they ask for: the same rules as reporting/content.py

  const number = (text) => {
    const plain = text.normalize("NFKC").trim().replace(/(\d),(?=\d{3})/g, "$1");
    return /^\d+(\.\d*)?$/.test(plain) ? Number(plain) : null;
  };
  const show = (value) => String(Math.round(value * 100) / 100);
  const factor = Number(form.dataset.jumpFactor);
  const ordered = form.dataset.ordered.trim().split(/\s+/).map((pair) => pair.split(">"));

  const compare = (programme) => {
    const boxes = {};
    for (const box of programme.querySelectorAll("[data-figure]")) {
      const value = number(box.firstElementChild.value);
      const before = "before" in box.dataset ? Number(box.dataset.before) : null;
      boxes[box.dataset.figure] = { box, value, before, label: box.dataset.label };
    }
    const asked = [];
    let moved = false;
    let known = false;
    for (const { box, value, before, label } of Object.values(boxes)) {
      const sign = box.closest(".figure").querySelector("[data-change]");
      const change = value === null || before === null ? null : Math.round((value - before) * 100) / 100;
      sign.textContent = change ? (change > 0 ? "+" : "−") + show(Math.abs(change)) : "";
      sign.className = `figure-change ${change < 0 ? "fall" : "rise"}`;
      known = known || before !== null;
      moved = moved || Boolean(change);
      const jumped = change >= Number(box.dataset.jump) && value > factor * before;
      box.classList.toggle("is-asked", change < 0 || (change > 0 && jumped));
      if (change < 0) asked.push(`${label}比上次少 ${show(-change)}`);
      else if (change > 0 && jumped) asked.push(`${label}由 ${show(before)} 增至 ${show(value)}`);
    }
    for (const [more, less] of ordered) {
      if (boxes[more].value > boxes[less].value && boxes[less].value !== null) {
        asked.push(`${boxes[more].label}多于${boxes[less].label}`);
      }
    }
    if (known && !moved) asked.length = 0;
    const explanation = programme.querySelector("[data-explanation]");
    const text = explanation.querySelector("textarea");
    explanation.classList.toggle("is-wanted", asked.length > 0);
    explanation.hidden = !asked.length && !text.value && !explanation.querySelector(".errorlist");
    explanation.querySelector("[data-asked]").textContent = asked.length ? `${asked.join("；")}，请说明原因` : "选填";
  };

  const count = (area) => {
    const sign = area.closest(".text")?.querySelector("[data-count]");
    if (!sign) return;
    const length = [...area.value].length;
    const most = Number(area.dataset.most);
    sign.textContent = length > most * 0.8 ? `${length} / ${most} 字` : "";
    sign.classList.toggle("is-over", length > most);
  };

  const zero = form.elements.is_zero;
  const figures = document.getElementById("figures");
  const refresh = () => {
    figures.hidden = zero.checked;
    for (const programme of form.querySelectorAll("[data-programme]")) compare(programme);
    for (const area of form.querySelectorAll("textarea")) count(area);
  };

  form.addEventListener("input", refresh);
  form.addEventListener("draft:put", refresh);
  refresh();
})();
