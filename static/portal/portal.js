"use strict";

// Everything here is comfort: each page works without it.
(() => {
  const MINUTE = 60000;
  const serverNow = Date.parse(document.body.dataset.now);
  const shift = Number.isNaN(serverNow) ? 0 : serverNow - Date.now();

  const span = (milliseconds) => {
    const minutes = Math.floor(milliseconds / MINUTE);
    const days = Math.floor(minutes / 1440);
    const hours = Math.floor((minutes % 1440) / 60);
    const parts = [[days, "天"], [hours, "小时"], [minutes % 60, "分钟"]];
    return parts.map(([number, unit]) => (number ? number + unit : "")).join("") || "不到1分钟";
  };

  // The same words as the template filter `left`.
  const countDown = () => {
    for (const element of document.querySelectorAll("time[data-deadline]")) {
      const left = Date.parse(element.dataset.deadline) - (Date.now() + shift);
      element.textContent = left > 0 ? `还剩 ${span(left)}` : `已过 ${span(-left)}`;
    }
  };
  countDown();
  setInterval(countDown, MINUTE / 2);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-confirm], input[data-confirm], a[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if (!("once" in form.dataset) || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });

  // Coming back with the browser's back button, the form may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    closeMenus(null);
    if (menu) menu.querySelector("summary").focus();
  });

  // What stands open on a wide screen begins folded on a narrow one.
  const narrow = window.matchMedia("(max-width: 40rem)");
  const fold = () => {
    for (const folded of document.querySelectorAll("details[data-folds]")) folded.open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  fold();

  // What is wider than its frame is scrolled by keyboard too; what fits is no stop on the way.
  const resized = new ResizeObserver((entries) => {
    for (const { target: frame } of entries) {
      const isWider = frame.scrollWidth > frame.clientWidth;
      if (isWider && !frame.hasAttribute("role")) {
        frame.setAttribute("role", "region");
        frame.setAttribute("aria-label", "表格，可左右滚动");
      }
      frame.tabIndex = isWider ? 0 : -1;
    }
  });
  for (const frame of document.querySelectorAll(".table-wrap")) resized.observe(frame);

  const errors = document.querySelector(".error-summary");
  if (errors) errors.focus();
})();
