"use strict";
// A click on the name of a column sorts by it, numbers from the greatest down at first; another
// click turns it round. What is unknown comes last.
for (const button of document.querySelectorAll("table.sorts thead button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const at = head.cellIndex, numbers = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numbers;
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = (a, b) => {
      const [x, y] = [a.cells[at], b.cells[at]];
      if (!numbers) return x.textContent.localeCompare(y.textContent, "en", { numeric: true });
      const [m, n] = [x.dataset.value, y.dataset.value];
      if (m === undefined || n === undefined) return 0;
      return m - n;
    };
    const known = row => !numbers || row.cells[at].dataset.value !== undefined;
    const rows = [...body.rows], told = rows.filter(known).sort(order);
    if (down) told.reverse();
    body.append(...told, ...rows.filter(row => !known(row)));
  });
}
