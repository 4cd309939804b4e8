"use strict";

// Comfort for every form with a draft: autosave, nothing lost. The pages work without it.
//
// form[data-draft-url] with data-storage-key and data-sign-in-url holds a hidden `revision`, a place for
// what was saved ([data-saved]) and one for warnings ([data-draft-alert]). It is told of what happens:
// `draft:put` after texts were put back, `draft:saved` with the server's answer as detail.
(() => {
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
  for (const done of document.querySelectorAll("[data-forget]")) {
    const forget = () => local.remove(done.dataset.forget);
    if (done.tagName === "FORM") done.addEventListener("submit", forget);
    else forget();
  }

  const form = document.querySelector("form[data-draft-url]");
  if (!form) return;
  const AUTOSAVE_AFTER = 3000;
  const RETRY_AFTER = 15000;
  const WAIT_AT_MOST = 10000;
  const NOT_TYPED = new Set(["hidden", "submit", "button", "file"]);
  const key = form.dataset.storageKey;
  const status = form.querySelector("[data-saved]");
  const alertBox = form.querySelector("[data-draft-alert]");
  const fields = [...form.elements].filter((e) => e.name && !NOT_TYPED.has(e.type));

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
    form.dispatchEvent(new CustomEvent("draft:put"));
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
  let running = null;
  let dirty = false;
  let stopped = false;
  let leaving = false;
  // The browser's signing in elsewhere renews its CSRF cookie; the form's own token is then the old one.
  const renewToken = () => {
    const token = cookie("csrftoken");
    if (token) form.elements.csrfmiddlewaretoken.value = token;
  };

  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  };

  // An ID number or a home address (data-private) goes to the server only: others may use this machine.
  const keep = () => {
    const values = typed();
    for (const field of fields) if ("private" in field.dataset) delete values[field.name];
    return local.set(key, { revision: form.elements.revision.value, typed: values });
  };

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
    form.dispatchEvent(new CustomEvent("draft:saved", { detail: answer }));
    if (same(sent, typed())) {
      dirty = false;
      local.remove(key);
    } else {
      keep();
      later(AUTOSAVE_AFTER);
    }
    return undefined;
  };

  const body = () => {
    const data = new FormData(form);
    for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
    return new URLSearchParams(data);
  };

  const send = async () => {
    renewToken();
    const sent = typed();
    try {
      const response = await fetch(form.dataset.draftUrl, {
        method: "POST",
        body: body(),
        redirect: "manual",
        headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
      });
      await settle(response, sent);
    } catch {
      const kept = keep();
      say(kept ? "网络不通，内容已存在本机，恢复后自动保存" : "网络不通，请不要关闭本页", true);
      later(RETRY_AFTER);
    }
  };

  const save = () => {
    if (running || stopped || leaving || !dirty) return;
    running = send().finally(() => {
      running = null;
    });
  };

  form.addEventListener("input", (event) => {
    if (!fields.includes(event.target)) return;
    dirty = true;
    leaving = false;
    if (stopped) {
      keep();
      return;
    }
    say("有改动，尚未保存", !keep());
    later(AUTOSAVE_AFTER);
  });
  for (const event of ["focus", "online"]) window.addEventListener(event, () => dirty && save());
  document.addEventListener("visibilitychange", () => dirty && save());

  // --- Sending: after the autosave under way, whose revision it takes; else it would meet its own draft.

  let waiting = false;
  let pressed = null;
  const limit = () => new Promise((done) => setTimeout(done, WAIT_AT_MOST));

  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    renewToken();
    pressed = event.submitter;
    // An old browser could not send again what it was about to send.
    leaving = !running || !pressed || !form.requestSubmit;
    if (leaving) return;
    event.preventDefault();
    if (waiting) return;
    waiting = true;
    say("正在保存，请稍候");
    await Promise.race([running, limit()]);
    waiting = false;
    running = null;
    form.requestSubmit(pressed);
  });
  // Coming back with the browser's back button, one goes on typing.
  window.addEventListener("pageshow", () => {
    leaving = false;
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
  // The form's own script listens first, whichever was loaded first.
  document.addEventListener("DOMContentLoaded", restore);
})();
