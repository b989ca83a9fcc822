// Looks at every page and does everything that can be done on one. Any finding fails the run.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const { BASE, KEY, PICTURES } = process.env;
const scene = JSON.parse(process.env.SCENE);
const axe = fs.readFileSync(require.resolve("axe-core"), "utf8");
const PAGE_BYTES_MAX = 60 * 1024;
const full = `${BASE}/workspaces/${scene.full}`;
const pages = {
  overview: BASE,
  workspaces: `${BASE}/workspaces`,
  "workspace-empty": `${BASE}/workspaces/${scene.empty}`,
  workspace: full,
  webhook: `${full}/webhooks/${scene.webhook}`,
  events: `${full}/events`,
  "events-none": `${full}/events?type=nothing.of.the.kind`,
  event: `${full}/events/${scene.event}?data=shown`,
  deliveries: `${full}/deliveries`,
  "deliveries-failed": `${full}/deliveries?status=failed`,
  delivery: `${BASE}/deliveries/${scene.delivery}`,
  attempt: `${BASE}/deliveries/${scene.delivery}/attempts/1`,
  "webhook-new": `${full}/webhooks`,
  "webhook-new-in-a-dialect": `${BASE}/workspaces/${scene.dialect}/webhooks`,
  "webhook-edit": `${full}/webhooks/${scene.webhook}/edit`,
  "webhook-delete": `${full}/webhooks/${scene.webhook}/delete`,
  "test-event": `${full}/webhooks/${scene.webhook}/test`,
  "replay-new": `${full}/webhooks/${scene.webhook}/replay`,
  replay: `${full}/replays/${scene.replay}`,
  replays: `${full}/replays`,
  keys: `${BASE}/keys`,
  find: `${BASE}/find?q=acme`,
  "find-nothing": `${BASE}/find?q=nobody`,
  operators: `${BASE}/operators`,
  audit: `${BASE}/audit`,
  missing: `${BASE}/nothing`,
};
// The customers' portal: the same pages behind another door.
const portal = new URL(scene.portal).origin + "/portal";
const own = `${portal}/workspaces/${scene.full}`;
const portalPages = {
  "portal-start": own,
  "portal-webhook": `${own}/webhooks/${scene.webhook}`,
  "portal-webhook-new": `${own}/webhooks`,
  "portal-events": `${own}/events`,
  "portal-event": `${own}/events/${scene.event}`,
  "portal-deliveries": `${own}/deliveries`,
  "portal-delivery": `${portal}/deliveries/${scene.delivery}`,
  "portal-replays": `${own}/replays`,
  "portal-catalogue": `${portal}/catalogue`,
};
const findings = [];
const find = (what) => { findings.push(what); console.log(`  ${what}`); };

async function signIn(page, name, key) {
  await page.goto(`${BASE}/sign-in`);
  await page.fill("#name", name);
  await page.fill("#key", key);
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
}

// Of a page that is open: what axe says, whether it overflows, and how large it is where it is told what was answered.
async function judge(page, name, response) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  for (const { impact, id, nodes } of violations) find(`${name}: axe: ${impact}: ${id}: ${nodes[0].html.slice(0, 160)}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) find(`${name}: is ${over} px wider than the window`);
  if (!response) return;
  const { length } = await response.body();
  if (length > PAGE_BYTES_MAX) find(`${name}: has ${length} bytes`);
}

async function lookAtAll(browser, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  let here = "";
  page.on("console", (message) => {
    const expected = { missing: "404", portal: "401" }[here];
    if (["error", "warning"].includes(message.type()) && !(expected && message.text().includes(expected))) find(`${here}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => find(`${here}: ${error}`));
  let origin = new URL(BASE).origin;
  page.on("request", (request) => { if (!request.url().startsWith(origin)) find(`${here}: asks ${request.url()}`); });
  here = "sign-in";
  const response = await page.goto(`${BASE}/sign-in`);
  await judge(page, `sign-in at ${width}`, response);
  await signIn(page, "", KEY);
  for (const [name, url] of Object.entries(pages)) {
    here = name;
    const response = await page.goto(url);
    await judge(page, `${name} at ${width}, ${colorScheme}`, response);
    await page.screenshot({ path: path.join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  }
  origin = new URL(portal).origin;
  here = "portal";
  await page.goto(portal);
  await page.screenshot({ path: path.join(PICTURES, `portal-closed-${width}-${colorScheme}.png`) });
  await page.goto(scene.portal);
  for (const [name, url] of Object.entries(portalPages)) {
    here = name;
    const response = await page.goto(url);
    if (response.status() !== 200) find(`${name}: ${response.status()}`);
    await judge(page, `${name} at ${width}, ${colorScheme}`, response);
    await page.screenshot({ path: path.join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  }
  await context.close();
}

// What is read without a script is what is read with one.
async function readWithoutScript(browser) {
  const texts = [];
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page, "", KEY);
    const said = {};
    for (const [name, url] of Object.entries(pages)) {
      if (["audit", "operators"].includes(name)) continue; // Each look adds a row.
      await page.goto(url);
      // The button that only the script offers.
      await page.evaluate(() => document.querySelectorAll(".follow").forEach((line) => line.remove())).catch(() => {});
      const text = await page.locator("main").innerText();
      said[name] = text.replace(/\b(copy|now|(in )?[\d.]+ (ms|s|min|h)( \d+ (s|min))?( ago)?)\b/g, "").replace(/\s+/g, " ");
    }
    texts.push(said);
    await context.close();
  }
  for (const name of Object.keys(texts[0])) {
    if (name === "overview") continue; // Counters go on.
    assert.equal(texts[1][name], texts[0][name], `${name} reads otherwise without a script`);
  }
}

async function act(browser) {
  const context = await browser.newContext();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  await page.goto(`${full}/deliveries?status=pending`);
  assert.match(page.url(), /sign-in\?next=/);
  await page.fill("#key", "wrong");
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  assert.match(await page.locator("[role=alert]").innerText(), /missing or invalid/);
  await page.fill("#key", KEY);
  await Promise.all([page.waitForNavigation(), page.click("main button")]);

  // Keys: to the search, from the search to an event, through rows into one.
  await page.goto(BASE);
  await page.keyboard.press("/");
  await page.keyboard.type(scene.full);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.equal(page.url(), full);
  await page.fill("#in", "order-0");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(await page.locator("main").innerText(), /order\.paid[^]*order-0/);
  await page.goto(`${full}/deliveries`);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const second = await page.locator("table.rows tbody tr").nth(1).locator("td:last-child a").getAttribute("href");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("o")]);
  assert.equal(new URL(page.url()).pathname, second);

  // The page of a delivery: copied, and sent once more.
  await page.goto(pages.delivery);
  await page.click("button.copy");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), scene.delivery);
  assert.equal(await page.locator(".heard[role=status]").innerText(), "copied");
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed here")); });
  await page.click("button.copy");
  await page.waitForFunction(() => document.querySelector("button.copy").innerText === "could not be copied");
  assert.equal(await page.locator(".heard[role=status]").innerText(), "could not be copied");
  const attempts = await page.locator(".steps > li").count();
  await page.keyboard.press("r");
  assert.equal(page.url(), pages.delivery);
  assert.match(await page.evaluate(() => document.activeElement.innerText), /^Send (now|again)$/);
  assert.equal(await page.locator(".steps > li").count(), attempts, "a letter alone sends nothing");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.waitForFunction(async (before) => {
    const text = await (await fetch(location.href)).text();
    return new DOMParser().parseFromString(text, "text/html").querySelectorAll(".steps > li").length > before + 1;
  }, attempts);

  // An event's data is shown to who asks for it.
  await page.goto(`${full}/events/${scene.event}`);
  assert.equal(await page.locator("pre.body").count(), 0);
  await Promise.all([page.waitForNavigation(), page.click("text=Show it")]);
  assert.match(await page.locator("pre.body").innerText(), /"amount"/);

  await manage(page);
  await readAsOneLikes(page);

  // A colleague.
  await page.goto(pages.operators);
  await page.fill("input[name=username]", "kim");
  await page.selectOption("form:has(input[name=username]) select", "support");
  await Promise.all([page.waitForNavigation(), page.click("text=Make the account")]);
  const password = await page.locator("[role=status] code").innerText();
  const kim = await (await browser.newContext()).newPage();
  await signIn(kim, "kim", password);
  assert.match(await kim.locator(".who").innerText(), /kim · support/);
  await kim.goto(pages.audit);
  assert.equal(await kim.locator("h1").innerText(), "Not allowed");
  await pressTwice(page, "New password for kim");
  await kim.goto(BASE);
  assert.match(kim.url(), /sign-in/);
  await pressTwice(page, "Delete kim");
  assert.match(await page.locator("main").innerText(), /Nobody has an account/);

  // The record has all of it.
  let record = "";
  for (await page.goto(pages.audit); ; await Promise.all([page.waitForNavigation(), page.click("a[rel=next]")])) {
    record += await page.locator("table").innerText();
    if (!(await page.locator("a[rel=next]").count())) break;
  }
  for (const action of ["session.open", "delivery.resend", "payload.view", "operator.create", "operator.password", "operator.delete",
    "webhook.create", "webhook.update", "webhook.delete", "webhook.disable", "webhook_secret.view", "webhook_secret.rotate",
    "test_event.send", "replay.create", "key.create", "key.revoke"]) {
    assert.ok(record.includes(action), `${action} is not on record`);
  }
  await Promise.all([page.waitForNavigation(), page.click("text=Sign out")]);
  await page.goto(BASE);
  assert.match(page.url(), /sign-in/);
  await signIn(page, "", KEY);
  await endWhileFollowing(page, `${full}/deliveries`);
}

// What cannot be taken back is shown first, and done by the second press.
async function pressTwice(page, name) {
  await page.locator(`summary[aria-label='${name}…']`).first().click();
  await Promise.all([page.waitForNavigation(), page.locator(`button[aria-label='${name}']`).first().click()]);
}

// A webhook from its making to its end.
async function manage(page) {
  const press = (text) => Promise.all([page.waitForNavigation(), page.click(text)]);
  await page.goto(`${full}/webhooks`);
  await page.fill("#f-url", "https://example.com/hook");
  await page.fill("#f-filter", "data.amount >");
  await press("text=Make the webhook");
  await readWhatIsWrong(page, /^Filter: /);
  assert.equal(await page.inputValue("#f-url"), "https://example.com/hook");
  await page.fill("#f-filter", "data.amount > 5");
  await press("text=Make the webhook");
  const own = page.url();
  assert.equal(await page.locator("h1").innerText(), "https://example.com/hook");
  await press("main a:text-is('Change')");
  await page.fill("#f-name", "a name");
  await press("text=Save");
  assert.match(await page.locator("main").innerText(), /a name/);
  await press("text=Show it");
  const secret = await page.locator(".secret code").innerText();
  assert.match(secret, /^whsec_/);
  await page.goto(own);
  await press("text=Replace it");
  assert.notEqual(await page.locator(".secret code").innerText(), secret);
  await page.goto(own);
  await press("text=Revoke the old ones");
  await press("text=Switch off");
  assert.match(await page.locator(".state").innerText(), /[Ss]witched off/);
  await press("text=Switch on");
  await press("text=Send a test event");
  await page.fill("#f-data", "{");
  await press("text=Send it");
  await readWhatIsWrong(page, /^Data: must be JSON/);
  await page.fill("#f-data", '{"a": 1}');
  await press("text=Send it");
  assert.match(page.url(), /deliveries\/dlv_/);
  await page.goto(own);
  await press("main a:text-is('Replay')");
  await page.check("input[value=all]");
  await press("text=Count them");
  // It follows by itself until the plan is complete.
  await page.waitForFunction(() => /fit|nothing to send/.test(document.querySelector(".state").innerText), null, { timeout: 30000 });
  if (await page.locator("text=/^Send \\d/").count()) await press("text=/^Send \\d/");
  else await press("main button:text-is('Cancel')");
  await page.goto(own);
  await press("main a:text-is('Delete')");
  await page.fill("#f-id", "something else");
  await press("text=Delete the webhook");
  await readWhatIsWrong(page, /is not the id/);
  await page.fill("#f-id", own.split("/").pop());
  await press("text=Delete the webhook");
  assert.equal(page.url(), full);
  // A key.
  await page.goto(pages.keys);
  await page.fill("#f-workspace", "nothing");
  await page.check("input[name=read]");
  await press("text=Make the key");
  await readWhatIsWrong(page, /^Workspace: /);
  await page.fill("#f-workspace", "");
  await page.uncheck("input[name=read]");
  await press("text=Make the key");
  await readWhatIsWrong(page, /^May: /);
  await page.fill("#f-name", "browser");
  await page.check("input[name=read]");
  await press("text=Make the key");
  assert.match(await page.locator(".secret code").innerText(), /^spo_/);
  await press("[aria-label='Replace browser']");
  while (await page.locator("[aria-label='Revoke browser']").count()) {
    await pressTwice(page, "Revoke browser");
  }
}

// A form that was refused: what is wrong has the focus, and leads to the field, which says the same under the same name.
async function readWhatIsWrong(page, words) {
  assert.equal(await page.evaluate(() => document.activeElement.className), "summary wrong");
  const link = page.locator(".summary a");
  assert.match(await link.innerText(), words);
  const said = await page.locator(".field .wrong").innerText();
  assert.equal(said.trim(), `${await link.innerText()}.`);
  await link.click();
  const field = await page.evaluate(() => {
    const { id, ariaInvalid, labels } = document.activeElement;
    const label = labels?.[0] ?? document.activeElement.querySelector("legend");
    return { id, ariaInvalid, label: label.innerText, note: document.activeElement.getAttribute("aria-describedby") };
  });
  assert.equal(`#${field.id}`, await link.getAttribute("href"));
  assert.equal(field.ariaInvalid, "true");
  assert.equal(await page.locator(`#${field.note} .wrong`).innerText(), said);
  assert.ok(said.startsWith(`${field.label}: `), `${said} stands at ${field.label}`);
  await judge(page, `refused: ${said}`);
}

// Theme, clock, keys, help, and a list that follows.
async function readAsOneLikes(page) {
  await page.goto(`${full}/deliveries`);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.click("[data-switch=theme]");
  const light = await paper();
  await page.click("[data-switch=theme]");
  assert.notEqual(await paper(), light);
  await page.reload();
  assert.notEqual(await paper(), light, "the theme is kept");
  await page.click("[data-switch=theme]");
  await page.click("[data-switch=clock]");
  assert.match(await page.locator("td time").first().innerText(), / UTC$/, "the zone of this browser");
  await page.click("[data-switch=clock]");
  assert.match(await page.locator("td time").first().innerText(), /^\d{4}-\d\d-\d\d .*Z$/);
  await page.click("[data-switch=clock]");
  await page.click("[data-switch=keys]");
  await page.keyboard.press("?");
  assert.ok(!(await page.locator("dialog.keys").isVisible()));
  await page.reload();
  assert.equal(await page.locator("[data-switch=keys]").innerText(), "Keys: off");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "BODY");
  await page.click("[data-switch=keys]");
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog.keys").isVisible());
  await page.keyboard.press("Escape");
  await page.mouse.move(0, 0);
  await page.click("text=Follow");
  await page.mouse.move(0, 0);
  const first = () => page.locator("#live tbody tr td:last-child a").first().getAttribute("href");
  const before = await first();
  await page.request.post(scene.publish, { headers: { authorization: `Bearer ${KEY}` }, data: { type: "order.paid", data: { amount: 1 } } });
  await page.waitForFunction((old) => document.querySelector("#live tbody tr td:last-child a").getAttribute("href") !== old, before, { timeout: 30000 });
  // Nothing is said twice: three times it is asked, and the words stay.
  await page.evaluate(() => {
    window.saidAnew = 0;
    new MutationObserver(() => { window.saidAnew += 1; }).observe(document.querySelector(".follow [role=status]"), { childList: true, characterData: true, subtree: true });
  });
  for (let asked = 0; asked < 3; asked += 1) await page.waitForResponse(page.url());
  assert.equal(await page.evaluate(() => window.saidAnew), 0);
  await page.click("text=Pause");

  // A replay that is planned meanwhile.
  let looks = 0;
  await page.route(pages.replay, async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    looks += 1;
    await route.fulfill({ response, body: looks === 1 ? body.replace('id="live"', 'id="live" data-live="on"') : body });
  });
  await page.goto(pages.replay);
  await said(page, "It follows no more.");
  await page.unrouteAll();
}

// Moments move on while a page lies open, in the words of the server, by its clock and not by this browser's.
async function waitAWhile(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, "", KEY);
  await page.clock.install({ time: "2020-01-01T00:00:00Z" });
  await page.goto(`${full}/events`);
  const first = page.locator("td time").first();
  const written = await first.innerText();
  const [at, made] = await page.evaluate(() => [document.querySelector("td time").dateTime, document.querySelector("main").dataset.now].map(Date.parse));
  const told = (atMs, nowMs) => page.evaluate((both) => relative(...both), [atMs, nowMs]);
  assert.equal(await told(at, made), written);
  for (const [ms, words] of [[0, "now"], [999, "now"], [59_999, "59 s ago"], [61_999, "1 min 1 s ago"], [7_800_000, "2 h 10 min ago"],
    [86_400_000, "1 d ago"], [90_100_000, "1 d 1 h ago"], [-65_400, "in 1 min 5 s"]]) {
    assert.equal(await told(0, ms), words);
  }
  await page.clock.fastForward("10:00:00");
  assert.match(await first.innerText(), /^10 h( \d+ min)? ago$/, `${written}, ten hours later`);
  await context.close();
}

// What is said beside a part of the page that follows.
async function said(page, words) {
  await page.waitForFunction((wanted) => document.querySelector(".follow [role=status]").innerText === wanted, words, { timeout: 30000 });
}

// Somebody signs out elsewhere while a list follows.
async function endWhileFollowing(page, list) {
  await page.goto(list);
  await page.click("text=Follow");
  await page.mouse.move(0, 0);
  await page.context().clearCookies();
  await said(page, "You are signed out; load the page again.");
  assert.equal(await page.locator(".follow button").count(), 0);
}

// A customer comes by a link, does what customers do, and leaves.
async function visitPortal(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const press = (text) => Promise.all([page.waitForNavigation(), page.click(text)]);
  await page.goto(scene.portal);
  assert.equal(page.url(), own, "the link stands in no address");
  assert.equal(await page.locator("nav[aria-label=Main] a").count(), 5);
  await press("text=New webhook");
  await page.fill("#f-url", "https://example.com/portal");
  await press("text=Make the webhook");
  await press("text=Send a test event");
  await press("text=Send it");
  assert.match(page.url(), /\/portal\/deliveries\/dlv_/);
  await press("nav[aria-label=Main] a:text-is('Deliveries')");
  await page.goto(`${new URL(portal).origin}/dash`);
  assert.doesNotMatch(await page.content(), /Overview/, "nothing of the operators' pages is here");
  await page.goto(own);
  await press("text=Sign out");
  const response = await page.goto(own);
  assert.equal(response.status(), 401);
  await page.goto(scene.portal);
  await endWhileFollowing(page, `${own}/deliveries`);
  await context.close();
}

// A workspace whose dialect has a catalogue and a form of its own, on a phone: from its first webhook, by both doors.
async function visitDialect(browser) {
  const context = await browser.newContext({ viewport: { width: 390, height: 900 } });
  const page = await context.newPage();
  const press = (text) => Promise.all([page.waitForNavigation(), page.click(text)]);
  await signIn(page, "", KEY);
  const asked = await page.request.post(`${new URL(BASE).origin}/v1/workspaces/${scene.dialect}/portal-links`, { headers: { authorization: `Bearer ${KEY}` }, data: {} });
  const { url: link } = await asked.json();
  for (const door of [BASE, portal]) {
    if (door === portal) await page.goto(link);
    const home = `${door}/workspaces/${scene.dialect}`;
    await page.goto(`${home}/webhooks`);
    await page.fill("#f-url", "http://example.com/hook");
    await page.locator(".choice input").first().check();
    await press("main button:text-is('Make the webhook')");
    await readWhatIsWrong(page, /^URL: must begin with https/);
    await page.fill("#f-url", `https://example.com/${door === portal ? "portal" : "dash"}`);
    await press("main button:text-is('Make the webhook')");
    if (door === portal) {
      // Customers are shown the secret once there.
      await judge(page, "in a dialect: a new secret");
      await press("main a:text-is('To the webhook')");
    }
    const webhook = page.url();
    await press("main a:text-is('Send a test event')");
    await press("main button:text-is('Send it')");
    const delivery = page.url();
    const places = [home, webhook, `${webhook}/test`, `${home}/events`, `${home}/deliveries`, delivery];
    if (door === portal) places.push(`${portal}/catalogue`);
    for (const place of places) {
      const response = await page.goto(place);
      assert.equal(response.status(), 200, place);
      await judge(page, `in a dialect: ${place}`, response);
    }
  }
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    for (const width of [390, 768, 1440]) {
      for (const scheme of ["light", "dark"]) await lookAtAll(browser, width, scheme);
    }
    await readWithoutScript(browser);
    await act(browser);
    await waitAWhile(browser);
    await visitPortal(browser);
    await visitDialect(browser);
  } finally {
    await browser.close();
  }
  assert.deepEqual(findings, []);
  console.log(`${Object.keys(pages).length + Object.keys(portalPages).length + 1} pages at 3 widths, light and dark: no finding; every action done`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
