"use strict";

// One tick for all of a page's rows.
for (const all of document.querySelectorAll("input[data-tick-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of all.form.querySelectorAll('tbody input[type="checkbox"]')) box.checked = all.checked;
  });
}
