"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Filters: kinds that are pressed (none means all), and words that must all occur.
  const filters = all("[data-filter]").map((box) => {
    const items = all("[data-item]", document.getElementById(box.dataset.filter));
    const chips = all("[data-kind]", box);
    const search = box.querySelector("input");
    const count = box.querySelector("output");
    let texts = null;
    let due = 0;

    const apply = () => {
      due = 0;
      const kinds = new Set(chips.filter((c) => c.ariaPressed === "true").map((c) => c.dataset.kind));
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      texts ??= items.map((item) => item.textContent.toLowerCase());
      let shown = 0;
      items.forEach((item, n) => {
        const fits = (!kinds.size || kinds.has(item.dataset.item)) && words.every((w) => texts[n].includes(w));
        if (item.hidden === fits) item.hidden = !fits;
        shown += fits;
      });
      count.textContent = shown === items.length ? `${shown} shown` : `${shown} of ${items.length} shown`;
    };
    const soon = () => { due ||= requestAnimationFrame(apply); };

    for (const chip of chips) {
      chip.addEventListener("click", () => {
        chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
        soon();
      });
    }
    search.addEventListener("input", soon);
    box.hidden = false;
    apply();
    return {
      search,
      clear() {
        search.value = "";
        for (const chip of chips) chip.ariaPressed = "false";
        soon();
      },
    };
  });

  // A heading of the table sorts by its column; a second press turns the order round.
  for (const table of all("table")) {
    const body = table.tBodies[0];
    all("th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.ariaSort !== "ascending";
        for (const other of all("th", table)) other.removeAttribute("aria-sort");
        head.ariaSort = up ? "ascending" : "descending";
        const order = new Intl.Collator("en", { numeric: true });
        const rows = all("tr", body).map((row) => [row.cells[column].textContent, row]);
        rows.sort((a, b) => order.compare(a[0], b[0]) * (up ? 1 : -1));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // Keys: those of people who read mail and code.
  const cards = all(".card");
  const step = (by) => {
    const open = cards.filter((card) => !card.hidden);
    if (!open.length) return;
    const at = open.findIndex((card) => card.contains(document.activeElement));
    const next = open[at < 0 ? (by > 0 ? 0 : open.length - 1) : Math.min(Math.max(at + by, 0), open.length - 1)];
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "Escape") {
      for (const filter of filters) filter.clear();
      if (typing) event.target.blur();
    } else if (typing) {
      return;
    } else if (event.key === "/" && filters.length) {
      event.preventDefault();
      const seen = filters.find((f) => f.search.getBoundingClientRect().bottom > 0) ?? filters[0];
      seen.search.focus();
    } else if (event.key === "j") {
      step(1);
    } else if (event.key === "k") {
      step(-1);
    }
  });
  for (const keys of all(".keys")) keys.hidden = !filters.length;

  // On paper everything but the rules' texts is open; afterwards it is as it was.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open], .rule)");
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
