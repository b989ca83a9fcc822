// Makes reading quicker. Everything works without it.
"use strict";

// Moments in the reader's own zone on hover.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.title = at.toLocaleString() + " (" + time.dateTime + ")";
}

// Buttons that copy.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
}

// Keys: j and k go through the rows, o opens one, / goes to the search.
const rows = Array.from(document.querySelectorAll("table.rows tbody tr"));
let chosen = -1;

function choose(place) {
  if (rows.length === 0) return;
  chosen = Math.max(0, Math.min(place, rows.length - 1));
  const link = rows[chosen].querySelector("td:last-child a") || rows[chosen].querySelector("a");
  if (link) link.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === "j") choose(chosen + 1);
  else if (event.key === "k") choose(chosen - 1);
  else if (event.key === "o" && chosen >= 0 && document.activeElement instanceof HTMLAnchorElement) document.activeElement.click();
  else if (event.key === "/") {
    const find = document.querySelector("form.find input");
    if (find) { event.preventDefault(); find.focus(); }
  }
});
