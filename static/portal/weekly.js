"use strict";

// Comfort for the weekly form: changes as one types, autosave, nothing lost. The page works without it.
(() => {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // A browser may refuse storage (private windows); then only the server keeps drafts.
  const local = {
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(key));
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        localStorage.setItem(key, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    remove(key) {
      try {
        localStorage.removeItem(key);
      } catch {
        // Nothing was stored.
      }
    },
  };

  // The server has it: at once where a page shows it, on sending where a form settles it.
  const done = document.querySelector("[data-forget]");
  const forget = () => local.remove(done.dataset.forget);
  if (done?.tagName === "FORM") done.addEventListener("submit", forget);
  else if (done) forget();

  const form = document.getElementById("weekly");
  if (!form) return;
  const AUTOSAVE_AFTER = 3000;
  const RETRY_AFTER = 15000;
  const key = form.dataset.storageKey;
  const status = form.querySelector("[data-saved]");
  const alertBox = form.querySelector(".weekly-alert");
  const fields = [...form.elements].filter((e) => e.name && (e.type !== "hidden" && e.type !== "submit"));

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

  // --- What is typed is kept on this machine until the server has it

  const typed = () => {
    const values = {};
    for (const field of fields) {
      values[field.name] = field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;
    }
    return values;
  };
  const same = (one, other) => Object.keys(one).every((name) => (one[name] ?? "") === (other[name] ?? ""));
  const put = (values) => {
    for (const field of fields) {
      if (!(field.name in values)) continue;
      if (field.type === "checkbox") field.checked = Boolean(values[field.name]);
      else field.value = values[field.name];
    }
    refresh();
  };

  const say = (text, failed = false) => {
    status.textContent = text;
    status.classList.toggle("is-failed", failed);
  };
  const warn = (text, ...offers) => {
    alertBox.replaceChildren(document.createTextNode(text), ...offers);
    alertBox.hidden = false;
  };
  const offer = (label, action) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "as-link";
    button.textContent = label;
    button.addEventListener("click", action);
    return button;
  };
  const cookie = (name) =>
    document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);

  // --- Autosave

  let timer = null;
  let running = false;
  let dirty = false;
  let stopped = false;
  // The browser's signing in elsewhere renews its CSRF cookie; the form's own token is then the old one.
  const renewToken = () => {
    const token = cookie("csrftoken");
    if (token) form.elements.csrfmiddlewaretoken.value = token;
  };

  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  };

  const keep = () => local.set(key, { revision: form.elements.revision.value, typed: typed() });

  const signedOut = () => {
    const kept = keep();
    say("未保存到服务器", true);
    const link = document.createElement("a");
    link.href = form.dataset.signInUrl;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "在新窗口登录";
    const words = kept
      ? "登录已失效，填写的内容已存在本机，没有丢失。请"
      : "登录已失效。请不要关闭本页，并";
    warn(words, link, document.createTextNode("，登录后回到本页会自动继续保存。"));
  };

  const conflict = (message) => {
    stopped = true;
    keep();
    say("自动保存已暂停", true);
    const button = document.createElement("button");
    button.type = "submit";
    button.name = "action";
    button.value = "save";
    button.className = "btn btn-sm";
    button.textContent = "比较两份并选择";
    warn(`${message} `, button);
  };

  const settle = async (response, sent) => {
    if (response.type === "opaqueredirect" || response.status === 401) return signedOut();
    const isJson = (response.headers.get("Content-Type") || "").includes("json");
    if (response.status === 403 && !isJson) return signedOut();
    if (!isJson) throw new Error(String(response.status));
    const answer = await response.json();
    if (response.status === 409) return conflict(answer.message);
    if (!response.ok) {
      keep();
      say("未保存", true);
      return warn(answer.message);
    }
    form.elements.revision.value = answer.revision;
    alertBox.hidden = true;
    say(`已自动保存 ${answer.saved_at}`);
    if (same(sent, typed())) {
      dirty = false;
      local.remove(key);
    } else {
      keep();
      later(AUTOSAVE_AFTER);
    }
    return undefined;
  };

  const save = async () => {
    if (running || stopped || !dirty) return;
    running = true;
    renewToken();
    const sent = typed();
    try {
      const response = await fetch(form.dataset.draftUrl, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        redirect: "manual",
        headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
      });
      await settle(response, sent);
    } catch {
      const kept = keep();
      say(kept ? "网络不通，内容已存在本机，恢复后自动保存" : "网络不通，请不要关闭本页", true);
      later(RETRY_AFTER);
    } finally {
      running = false;
    }
  };

  form.addEventListener("input", () => {
    dirty = true;
    refresh();
    if (stopped) {
      keep();
      return;
    }
    if (keep()) status.classList.remove("is-failed");
    later(AUTOSAVE_AFTER);
  });
  for (const event of ["focus", "online"]) window.addEventListener(event, () => dirty && save());
  document.addEventListener("visibilitychange", () => dirty && save());
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    renewToken();
  });

  // --- Coming back: what the server does not have yet

  const restore = () => {
    const kept = local.get(key);
    if (!kept) return;
    if (same(kept.typed, typed())) {
      local.remove(key);
      return;
    }
    const apply = () => {
      put(kept.typed);
      form.elements.revision.value = kept.revision;
      dirty = true;
      alertBox.hidden = true;
      save();
    };
    if (kept.revision === form.elements.revision.value) {
      apply();
      say("已恢复本机保存的内容");
      return;
    }
    warn(
      "本机还有一份未保存的内容，与服务器上的草稿不同。",
      offer("恢复本机内容", apply),
      document.createTextNode(" 或 "),
      offer("不要了", () => {
        local.remove(key);
        alertBox.hidden = true;
      }),
    );
  };
  refresh();
  restore();
})();
