// Makes reading quicker. Everything can be read without it.
"use strict";

// What the reader has chosen for all pages of this browser.
const choice = {
  get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* It holds for this page then. */ } },
};
const THEMES = ["", "light", "dark"];
const CLOCKS = ["relative", "local", "utc"];
const LISTENS = ["on", "off"];
let theme = choice.get("theme") || "";
let clock = choice.get("clock") || "relative";
let listens = choice.get("keys") || "on"; // Whoever speaks to the computer may press a letter without wanting to.

function dress() {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
dress(); // Before anything is drawn.

// Moments: as seen from now, or in the reader's own zone, or in UTC.
function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.dataset.relative ??= time.textContent;
    const local = at.toLocaleString(undefined, { timeZoneName: "short" });
    time.title = `${local} (${time.dateTime})`;
    time.textContent = { relative: time.dataset.relative, local, utc: time.dateTime.replace("T", " ") }[clock];
  }
}

// How far the clock of the server is ahead of this one, as a page says it that has just come.
let aheadMs = 0;

function setClock(page) {
  const madeMs = Date.parse(page.querySelector("main[data-now]")?.dataset.now);
  if (!Number.isNaN(madeMs)) aheadMs = madeMs - Date.now();
}

// As the server writes it: two units at most.
const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function relative(atMs, nowMs) {
  let seconds = Math.floor(Math.abs(nowMs - atMs) / 1000);
  if (seconds === 0) return "now";
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const words = [];
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    if (seconds >= size) words.push(`${Math.floor(seconds / size)} ${name}`);
    seconds %= size;
  }
  return atMs > nowMs ? `in ${words.join(" ")}` : `${words.join(" ")} ago`;
}

// Moments move on while a page lies open, but for those that are read out when they change.
function moveTimesOn() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const atMs = Date.parse(time.dateTime);
    if (Number.isNaN(atMs) || time.closest("[role=status], [role=alert]")) continue;
    time.dataset.relative = relative(atMs, Date.now() + aheadMs);
    if (clock === "relative" && time.textContent !== time.dataset.relative) time.textContent = time.dataset.relative;
  }
}

// For those who hear the page. A button that is called by what it copies keeps that name, whatever is written on it.
const heard = document.createElement("p");
heard.className = "heard";
heard.setAttribute("role", "status");

// Buttons that copy. In a frame the page around it has to allow that.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  const SAID_MS = 3000;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const said = await navigator.clipboard.writeText(button.dataset.copy).then(() => "copied", () => "could not be copied");
      button.textContent = said;
      heard.textContent = said;
      setTimeout(() => { button.textContent = "copy"; heard.textContent = ""; }, SAID_MS);
    });
  }
}

// Switches that go round through what can be chosen.
function offerSwitch(name, values, words, current, chosen) {
  const button = document.querySelector(`button[data-switch=${name}]`);
  if (!button) return;
  const say = () => { button.textContent = words[values.indexOf(current())]; };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = values[(values.indexOf(current()) + 1) % values.length];
    choice.set(name, next);
    chosen(next);
    say();
  });
  say();
}

// A part of a page that follows what happens. It waits while somebody points at it or stands in it, so that no row moves away.
function follow(live) {
  const INTERVAL_MS = 2000;
  const FOLLOWS = "Follows every 2 s.";
  const button = document.createElement("button");
  button.className = "quiet";
  button.type = "button";
  const said = document.createElement("span");
  said.className = "muted";
  said.setAttribute("role", "status");
  const line = document.createElement("p");
  line.className = "follow";
  line.append(button, " ", said);
  live.before(line);
  let isOn = false;
  let isAsking = false;
  // What is written anew is read out anew.
  const say = (words) => { if (said.textContent !== words) said.textContent = words; };
  const turn = (on, words) => { isOn = on; button.textContent = on ? "Pause" : "Follow"; say(words); };
  const isHeld = () => live.matches(":hover") || live.contains(document.activeElement) || document.hidden;
  const show = (next) => {
    live.replaceChildren(...next.childNodes);
    prepare(live);
    const hasEnded = live.dataset.live === "on" && next.dataset.live !== "on";
    live.dataset.live = next.dataset.live ?? "off";
    if (hasEnded) turn(false, "It follows no more.");
    else say(FOLLOWS);
  };
  const ask = async () => {
    const answer = await fetch(location.href, { redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      turn(false, "You are signed out; load the page again.");
      button.remove();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById(live.id);
    if (!next || !isOn || isHeld()) return;
    show(next);
    setClock(page);
    moveTimesOn();
  };
  button.addEventListener("click", () => turn(!isOn, isOn ? "" : FOLLOWS));
  turn(live.dataset.live === "on", live.dataset.live === "on" ? FOLLOWS : "");
  setInterval(async () => {
    if (!isOn || isAsking) return;
    if (isHeld()) { say("Waits while you are at it."); return; }
    isAsking = true;
    try { await ask(); } catch { say("The server did not answer; tried again."); } finally { isAsking = false; }
  }, INTERVAL_MS);
}

function prepare(root) {
  tellTimes(root);
  offerCopies(root);
}

// Keys: j and k go through the rows, o opens one, / goes to the search, r to the button that sends again, ? tells them.
let chosen = -1;

function choose(place) {
  const rows = document.querySelectorAll("table.rows tbody tr");
  if (rows.length === 0) return;
  chosen = Math.max(0, Math.min(place, rows.length - 1));
  const link = rows[chosen].querySelector("td:last-child a") || rows[chosen].querySelector("a");
  if (link) link.focus();
}

const KEYS = {
  j: () => choose(chosen + 1),
  k: () => choose(chosen - 1),
  o: () => { if (chosen >= 0 && document.activeElement instanceof HTMLAnchorElement) document.activeElement.click(); },
  r: () => document.querySelector("button[data-key=r]")?.focus(),
  "/": (event) => {
    const find = document.querySelector("form.find input");
    if (find) { event.preventDefault(); find.focus(); }
  },
  "?": () => document.querySelector("dialog.keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (listens === "off" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) return;
  if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](event);
});

document.addEventListener("DOMContentLoaded", () => {
  const MOVE_ON_MS = 30000;
  setClock(document);
  setInterval(moveTimesOn, MOVE_ON_MS);
  document.body.append(heard);
  document.querySelector(".summary")?.focus();
  prepare(document);
  offerSwitch("theme", THEMES, ["Theme: as the system", "Theme: light", "Theme: dark"], () => theme, (next) => { theme = next; dress(); });
  offerSwitch("clock", CLOCKS, ["Times: relative", "Times: local", "Times: UTC"], () => clock, (next) => { clock = next; tellTimes(document); });
  offerSwitch("keys", LISTENS, ["Keys: on", "Keys: off"], () => listens, (next) => { listens = next; });
  document.querySelectorAll("[data-live]").forEach(follow);
});
