(() => {
  "use strict";
  const open = [];
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open]).print")) { part.open = true; open.push(part); }
  });
  window.addEventListener("afterprint", () => { while (open.length) open.pop().open = false; });

  const table = document.getElementById("ranked");
  const form = document.getElementById("filters");
  if (!table || !form) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const shown = document.getElementById("shown");
  const more = document.getElementById("more");
  const FIRST = 25; // rows shown until all are asked for, so that what follows the table is found
  let short = true;
  form.hidden = false;
  more.addEventListener("click", () => { short = false; filter(); });

  const key = (row, column) => {
    const value = row.cells[column].dataset.value;
    const number = Number(value);
    return value === "" || Number.isNaN(number) ? value : number;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  };
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
      const sign = order === "ascending" ? 1 : -1;
      const keyed = rows.map((row, place) => ({ row, place, key: key(row, column) }));
      keyed.sort((a, b) => {
        const blank = (a.key === "") - (b.key === "");
        return blank || sign * compare(a.key, b.key) || a.place - b.place;
      });
      body.append(...keyed.map((item) => item.row));
      filter();
    });
  });

  const filter = () => {
    const sought = form.elements.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const picked = Array.from(form.querySelectorAll("select"));
    let count = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      const keep = sought.every((word) => text.includes(word)) &&
        picked.every((list) => !list.value || row.dataset[list.name].split(" ").includes(list.value));
      row.hidden = !keep;
      count += keep;
      row.classList.toggle("beyond", short && count > FIRST);
    }
    shown.textContent = `${count} of ${rows.length} pairs`;
    more.hidden = !(short && count > FIRST);
    more.textContent = `Show all ${count} pairs`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
})();
