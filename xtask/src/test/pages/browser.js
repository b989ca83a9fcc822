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
  find: `${BASE}/find?q=acme`,
  "find-nothing": `${BASE}/find?q=nobody`,
  operators: `${BASE}/operators`,
  audit: `${BASE}/audit`,
  missing: `${BASE}/nothing`,
};
const findings = [];
const find = (what) => { findings.push(what); console.log(`  ${what}`); };

async function signIn(page, name, key) {
  await page.goto(`${BASE}/sign-in`);
  await page.fill("#name", name);
  await page.fill("#key", key);
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
}

// Of a page that is open: what axe says, whether it overflows, and how large it is.
async function judge(page, name, response) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  for (const { impact, id, nodes } of violations) find(`${name}: axe: ${impact}: ${id}: ${nodes[0].html.slice(0, 160)}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) find(`${name}: is ${over} px wider than the window`);
  const { length } = await response.body();
  if (length > PAGE_BYTES_MAX) find(`${name}: has ${length} bytes`);
}

async function lookAtAll(browser, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  let here = "";
  page.on("console", (message) => {
    const expected = here === "missing" && message.text().includes("404");
    if (["error", "warning"].includes(message.type()) && !expected) find(`${here}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => find(`${here}: ${error}`));
  page.on("request", (request) => { if (!request.url().startsWith(new URL(BASE).origin)) find(`${here}: asks ${request.url()}`); });
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
      if (name === "audit") continue; // Each look adds a row.
      await page.goto(url);
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
  const attempts = await page.locator(".steps > li").count();
  await Promise.all([page.waitForNavigation(), page.click("text=Send now")]);
  await page.waitForFunction(async (before) => {
    const text = await (await fetch(location.href)).text();
    return new DOMParser().parseFromString(text, "text/html").querySelectorAll(".steps > li").length > before + 1;
  }, attempts);

  // An event's data is shown to who asks for it.
  await page.goto(`${full}/events/${scene.event}`);
  assert.equal(await page.locator("pre.body").count(), 0);
  await Promise.all([page.waitForNavigation(), page.click("text=Show it")]);
  assert.match(await page.locator("pre.body").innerText(), /"amount"/);

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
  await Promise.all([page.waitForNavigation(), page.click("text=New password")]);
  await kim.goto(BASE);
  assert.match(kim.url(), /sign-in/);
  await Promise.all([page.waitForNavigation(), page.click("text=Delete kim")]);
  assert.match(await page.locator("main").innerText(), /Nobody has an account/);

  // The record has all of it.
  await page.goto(pages.audit);
  const record = await page.locator("table").innerText();
  for (const action of ["session.open", "delivery.resend", "payload.view", "operator.create", "operator.password", "operator.delete"]) {
    assert.ok(record.includes(action), `${action} is not on record`);
  }
  await Promise.all([page.waitForNavigation(), page.click("text=Sign out")]);
  await page.goto(BASE);
  assert.match(page.url(), /sign-in/);
}

(async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    for (const width of [390, 768, 1440]) {
      for (const scheme of ["light", "dark"]) await lookAtAll(browser, width, scheme);
    }
    await readWithoutScript(browser);
    await act(browser);
  } finally {
    await browser.close();
  }
  assert.deepEqual(findings, []);
  console.log(`${Object.keys(pages).length + 1} pages at 3 widths, light and dark: no finding; every action done`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
