"use strict";

// Selects of very many are searched by typing; without scripts they stay plain selects.
for (const select of document.querySelectorAll("select[data-search]")) {
  new TomSelect(select, {
    maxOptions: null,
    plugins: select.multiple ? { remove_button: { title: "移除" } } : {},
    // The list must not stay over what comes next on the page.
    closeAfterSelect: true,
    // At once: a list drawn after the choice would open again and take the focus from what is filled in next.
    refreshThrottle: 0,
    onItemAdd() {
      if (!select.multiple) return;
      this.setTextboxValue("");
      this.refreshOptions(false);
    },
    // What matches equally well keeps the page's own order.
    sortField: [{ field: "$score" }, { field: "$order" }],
    render: { no_results: () => '<div class="no-results">没有找到</div>' },
  });
  // Its label now names the box that one types in; the select behind it is for sending only.
  select.setAttribute("aria-hidden", "true");
}
