// Opens each page in Chromium, in both themes and at two widths: what axe finds, what is asked of whom, what overflows,
// whether it says the same without JavaScript, and whether it follows a change. One JSON object on standard output.
import { createRequire } from "node:module";
import fs from "node:fs";

const given = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const require = createRequire(given.modules + "/");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const root = typeof process.getuid === "function" && process.getuid() === 0;
const browser = await chromium.launch({ executablePath: given.chromium, chromiumSandbox: !root });

const found = { version: browser.version(), looks: 0, violations: [], foreign: [], complaints: [], overflow: [],
  unlike: [], dead: [], live: false, copied: false, report: { foreign: [], complaints: [], violations: [], headings: 0 } };

// What a page says but for what depends on the moment and what is there for the script only. These are left out as
// elements: next to other text there is no telling where "59 min ago" begins and ends.
const says = (page) => page.evaluate(() => {
  const main = document.querySelector("main").cloneNode(true);
  for (const time of main.querySelectorAll("time")) time.textContent = "at a time";
  for (const button of main.querySelectorAll("[data-copy]")) button.remove();
  return main.textContent.replace(/\s+/g, " ").trim();
});

// Where two texts part, with what stands around.
const parting = (one, other) => {
  let at = 0;
  while (one[at] === other[at]) at += 1;
  return `"${one.slice(Math.max(0, at - 40), at + 40)}" and "${other.slice(Math.max(0, at - 40), at + 40)}"`;
};

const watch = (page, origin, foreign, complaints) => {
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) foreign.push(request.url());
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(page.url() + ": " + message.text());
  });
  page.on("pageerror", (error) => complaints.push(page.url() + ": " + error.message));
};

const widths = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
const links = new Set();
for (const [width, viewport] of Object.entries(widths)) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport, colorScheme, isMobile: width === "phone" });
    const plain = await browser.newContext({ viewport, colorScheme, javaScriptEnabled: false });
    for (const [name, path] of Object.entries(given.pages)) {
      const page = await context.newPage();
      watch(page, given.origin, found.foreign, found.complaints);
      await page.goto(given.origin + path, { waitUntil: "load" });
      if (name.includes("opened")) await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
      const bare = await plain.newPage();
      watch(bare, given.origin, found.foreign, found.complaints);
      await bare.goto(given.origin + path, { waitUntil: "load" });
      const [text, without] = await Promise.all([page, bare].map(says));
      if (text !== without) found.unlike.push(`${name}, ${colorScheme}, ${width}: ${parting(text, without)}`);
      if (without.length < 40) found.unlike.push(`${name}, ${colorScheme}, ${width}: nearly nothing`);
      await bare.close();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const { id, nodes } of violations) {
        found.violations.push(`${name}, ${colorScheme}, ${width}: ${id}: ` + nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | "));
      }
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) found.overflow.push(`${name}, ${width}: ${over} px`);
      for (const href of await page.locator("a[href^='/']").evaluateAll((all) => all.map((a) => a.getAttribute("href").split("#")[0]))) links.add(href);
      if (given.shots) await page.screenshot({ path: `${given.shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      found.looks += 1;
      await page.close();
    }
    await context.close();
    await plain.close();
  }
}

// Every link that a page shows leads to a page; of many alike some are followed.
for (const href of [...links].slice(0, given.links)) {
  const answer = await fetch(given.origin + href);
  if (!answer.ok) found.dead.push(href);
}
found.links = Math.min(links.size, given.links);

// A change of the journal comes through by itself, and a command is copied with one click.
{
  const context = await browser.newContext({ viewport: widths.wide });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: given.origin });
  const page = await context.newPage();
  await page.goto(given.origin + given.pages.port, { waitUntil: "load" });
  let asked = 0;
  page.on("request", (request) => { asked += request.url() === given.origin + given.pages.port ? 1 : 0; });
  await page.waitForTimeout(2500);
  const before = asked;
  const now = new Date();
  fs.utimesSync(given.journal, now, now);
  for (let turn = 0; turn < 60 && !found.live; turn += 1) {
    await page.waitForTimeout(250);
    found.live = asked > before && (await page.locator("#pulse").textContent()).includes("Live");
  }
  const fold = page.locator("#parked details").first();
  if (await fold.count()) {
    await fold.locator("summary").click();
    await fold.locator("button[data-copy]").first().click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    found.copied = copied === await fold.locator("code").first().textContent();
  }
  await context.close();
}

// The report of a large sync, as a file.
{
  const context = await browser.newContext({ viewport: widths.wide });
  const page = await context.newPage();
  const url = "file://" + given.report;
  watch(page, url, found.report.foreign, found.report.complaints);
  await page.goto(url, { waitUntil: "load" });
  found.report.headings = await page.locator("h4").count();
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify(found) + "\n");
