// Chromium looks at the status page: systems are there, a step appears by itself, filters work, nothing complains.
const { chromium } = require("playwright-core");

const [origin, code, picture] = process.argv.slice(2);
const say = (...words) => console.log(words.join(" "));
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.VESTIBULE_CHROMIUM || "chromium", args: QUIET });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(origin) && !address.startsWith("data:")) complaints.push(`asks ${address}`);
  });
  await page.goto(`${origin}/status`);
  await page.fill("#secret", code);
  await page.click("#door button");
  await page.waitForSelector("tr[data-system]");
  say("systems", (await page.$$eval("tr[data-system]", (rows) => rows.map((row) => row.dataset.system))).join(","));
  await page.waitForFunction(() => document.querySelector("#twins").textContent.includes("Lamp"));
  say("twins", await page.textContent("#twins-count"));

  const before = await page.$$eval("g.step", (steps) => steps.length);
  say("ready");
  await page.waitForFunction((count) => {
    const ids = [...document.querySelectorAll("g.step")].map((step) => step.dataset.step);
    return ids.length > count && ids.includes("P2.15") && ids.includes("P2.18");
  }, before, { timeout: 60_000 });
  say("live", await page.textContent("#live"));
  await page.waitForFunction(() => document.querySelectorAll("#log tr").length > 2);
  if (picture) await page.screenshot({ path: picture });

  await page.fill("#steps-filter", "P2.15");
  const shown = await page.$$eval("g.step", (steps) => steps.map((step) => step.dataset.step));
  say("filtered", [...new Set(shown)].join(","));
  await page.fill("#log-filter", "no line says this");
  say("log", await page.textContent("#log"));
  await page.fill("#log-filter", "");
  await page.fill("#twins-filter", "nothing is called this");
  say("filter", await page.textContent("#twins"));

  // A reload needs no second code; leaving forgets.
  await page.reload();
  await page.waitForSelector("tr[data-system]");
  await page.click("#leave");
  say("left", await page.isVisible("#door"), await page.evaluate(() => sessionStorage.length));
  for (const complaint of complaints) say("complaint", complaint);
  await browser.close();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
