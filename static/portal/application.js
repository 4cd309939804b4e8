"use strict";

// Comfort for an item of an application: majors found by typing, files sent at once with their progress,
// the list of what is missing kept up to date. draft.js keeps what is typed.
(() => {
  const form = document.getElementById("item");
  if (!form) return;

  const show = (answer) => {
    for (const part of ["missing", "files"]) {
      const place = form.querySelector(`[data-${part}]`);
      if (place && answer[part] !== undefined) place.innerHTML = answer[part];
    }
  };
  form.addEventListener("draft:saved", (event) => show(event.detail));

  // --- Majors: the text field stays what is sent, one “代码 名称” a line

  const area = form.querySelector("#id_majors");
  if (area) {
    const lines = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const select = document.createElement("select");
    select.multiple = true;
    select.id = "majors-picker";
    select.className = "form-select";
    area.before(select);
    area.hidden = true;
    const help = form.querySelector("#id_majors_helptext");
    help.textContent = "输入代码或名称查找，可选多个。目录中没有的，照“代码 名称”输入后回车。";
    const picker = new TomSelect(select, {
      options: lines().map((text) => ({ text })),
      items: lines(),
      valueField: "text",
      labelField: "text",
      searchField: ["text"],
      plugins: { remove_button: { title: "移除" } },
      create: true,
      closeAfterSelect: true,
      refreshThrottle: 0, // As in search-select.js.
      onItemAdd() {
        this.setTextboxValue("");
        this.refreshOptions(false);
      },
      createFilter: (text) => /^\d[0-9A-Za-z]{3,7}[\s,，、:：]*[^\s\d]/.test(text.normalize("NFKC").trim()),
      load: async (query, done) => {
        try {
          const response = await fetch(`${form.dataset.majorsUrl}?q=${encodeURIComponent(query)}`);
          const { majors } = await response.json();
          done(majors.map((major) => ({ text: `${major.code} ${major.name}` })));
        } catch {
          done();
        }
      },
      render: {
        option_create: (data, escape) => `<div class="create">照填“${escape(data.input)}”</div>`,
        no_results: () => '<div class="no-results">没有找到，可照“代码 名称”填写</div>',
      },
      onChange: (values) => {
        area.value = values.join("\n");
        area.dispatchEvent(new Event("input", { bubbles: true }));
      },
    });
    select.setAttribute("aria-hidden", "true");
    for (const label of form.querySelectorAll('label[for="id_majors"]')) label.htmlFor = picker.control_input.id;
    form.addEventListener("draft:put", () => {
      picker.clear(true);
      for (const text of lines()) {
        picker.addOption({ text });
        picker.addItem(text, true);
      }
    });
    form.addEventListener("click", (event) => {
      if (!event.target.closest('a[href="#id_majors"]')) return;
      event.preventDefault();
      picker.focus();
    });
  }

  // --- Files: each on its own, so that one that is refused keeps none of the others back

  const state = form.querySelector("[data-upload]");
  const say = (text, failed = false) => {
    const line = document.createElement("p");
    line.textContent = text;
    line.className = failed ? "upload-failed" : "";
    state.append(line);
    return line;
  };

  const send = (data, progress) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.dataset.filesUrl);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress(Math.floor((event.loaded / event.total) * 100));
      });
      request.addEventListener("loadend", () => {
        try {
          const answer = JSON.parse(request.responseText);
          resolve(answer.message ? { errors: [answer.message] } : answer);
        } catch {
          const why = request.status ? "登录可能已失效，请重新登录后再上传" : "网络不通，请稍后再试";
          resolve({ errors: [why] });
        }
      });
      data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      request.send(data);
    });

  const upload = async (input) => {
    const files = [...input.files];
    state.replaceChildren();
    for (const file of files) {
      const line = say(`正在上传 ${file.name}`);
      const data = new FormData();
      data.append(input.name, file);
      const answer = await send(data, (percent) => {
        line.textContent = `正在上传 ${file.name} ${percent}%`;
      });
      line.remove();
      show(answer);
      for (const error of answer.errors) say(error, true);
    }
    input.value = "";
    if (!state.childElementCount) say(`已上传 ${files.length} 个文件`);
  };

  // One after the other: two answers at once would show an older list last.
  let queue = Promise.resolve();
  for (const input of form.querySelectorAll("input[data-kind]")) {
    input.addEventListener("change", () => {
      if (input.files.length) queue = queue.then(() => upload(input));
    });
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const data = new FormData();
    data.append("remove", button.value);
    queue = queue.then(async () => {
      const answer = await send(data, () => {});
      state.replaceChildren();
      show(answer);
      for (const error of answer.errors) say(error, true);
    });
  });
})();
