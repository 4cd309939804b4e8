"use strict";

// Ticks counted, one tick for the page, and j / k to the next and the previous item.
(() => {
  const form = document.querySelector("form.decide-bar");
  if (form) {
    const boxes = [...form.elements].filter((element) => element.name === "item");
    const everything = form.elements.everything;
    const told = form.querySelector("[data-ticked]");
    const label = form.querySelector("[data-tick-page]");
    const all = label.querySelector("input");
    const tell = () => {
      const ticked = boxes.filter((box) => box.checked).length;
      all.checked = ticked === boxes.length;
      told.textContent = everything && everything.checked ? "" : `已选 ${ticked} 项`;
    };
    label.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      tell();
    });
    for (const box of [...boxes, everything]) if (box) box.addEventListener("change", tell);
    tell();
  }
  document.addEventListener("keydown", (event) => {
    const rel = { j: "next", k: "prev" }[event.key];
    const typing = event.target.closest("input, textarea, select");
    if (!rel || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = document.querySelector(`.page-actions a[rel="${rel}"]`);
    if (link) link.click();
  });
})();
