(() => {
  "use strict";
  const open = [];
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open]).print")) { part.open = true; open.push(part); }
  });
  window.addEventListener("afterprint", () => { while (open.length) open.pop().open = false; });

  const typed = (value) => {
    const number = Number(value);
    return value === "" || value === undefined || Number.isNaN(number) ? value || "" : number;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  // blanks last whatever the order; ties stay as they were
  const sorted = (items, key, sign) => items
    .map((item, place) => ({ item, place, key: typed(key(item)) }))
    .sort((a, b) => (a.key === "") - (b.key === "") || (a.key === "" ? 0 : sign * compare(a.key, b.key)) || a.place - b.place)
    .map((keyed) => keyed.item);

  const sortable = (table, done) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("span"); // Chromium leaves <button> out of headers repeated in print
      button.role = "button";
      button.tabIndex = 0;
      button.append(...head.childNodes);
      button.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); button.click(); }
      });
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.first;
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        body.append(...sorted(rows, (row) => row.cells[column].dataset.value, order === "ascending" ? 1 : -1));
        done();
      });
    });
  };

  // shows of the items those that hold every word sought and have every value picked
  const filterable = (form, items, shown) => {
    const picked = Array.from(form.querySelectorAll("select:not([data-order])"));
    const filter = () => {
      const sought = form.elements.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const item of items()) {
        const text = item.textContent.toLowerCase();
        const keep = sought.every((word) => text.includes(word)) &&
          picked.every((list) => !list.value || item.dataset[list.name].split(" ").includes(list.value));
        item.hidden = !keep;
        count += keep;
        shown(item, count);
      }
      form.querySelector("output").textContent = `${count} of ${items().length} ${form.dataset.what || "pairs"}`;
      shown(null, count);
    };
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    return filter;
  };

  document.querySelectorAll("table.sortable").forEach((table) => sortable(table, () => {}));

  const table = document.getElementById("ranked");
  const form = document.getElementById("filters");
  if (table && form) {
    const FIRST = 25; // rows shown until all are asked for, so that what follows the table is found
    const more = document.getElementById("more");
    let short = true;
    const filter = filterable(form, () => Array.from(table.tBodies[0].rows), (row, count) => {
      if (row) { row.classList.toggle("beyond", short && count > FIRST); return; }
      more.hidden = !(short && count > FIRST);
      more.textContent = `Show all ${count} ${form.dataset.what || "pairs"}`;
    });
    more.addEventListener("click", () => { short = false; filter(); });
    sortable(table, filter);
    filter();
  }

  const cards = document.getElementById("cards");
  const chosen = document.getElementById("card-filters");
  if (cards && chosen) {
    const all = Array.from(cards.children);
    const filter = filterable(chosen, () => all, () => {});
    const order = chosen.elements.order;
    const arrange = () => cards.append(...sorted(all, (card) => card.dataset[order.value], order.value === "rank" ? 1 : -1));
    order.addEventListener("input", arrange);
    chosen.addEventListener("reset", () => setTimeout(arrange));
    const every = chosen.querySelector("[data-open]");
    every.addEventListener("click", () => {
      const opening = every.textContent === "Open all";
      all.forEach((card) => { card.open = opening; });
      every.textContent = opening ? "Close all" : "Open all";
    });
    filter();
    const show = () => {
      let target = null;
      try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
      const card = target && target.closest("details.card");
      if (!card) return;
      chosen.reset();
      card.open = true;
      setTimeout(() => target.scrollIntoView());
    };
    window.addEventListener("hashchange", show);
    document.addEventListener("click", (event) => {
      const link = event.target.closest && event.target.closest("a[href^='#']");
      if (link && link.hash === location.hash) show(); // a second click on the same link changes no hash
    });
    show();
  }
})();
