/** Opens B's page in a browser and prints each entry when it has been painted. */

import { createRequire } from "node:module";

const [, , driver, executablePath, url] = process.argv;
const { chromium } = createRequire(import.meta.url)(driver);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
// Ends with whoever started this, also when that is killed.
process.on("SIGTERM", () => browser.close().finally(() => process.exit(0)));
const page = await browser.newPage();
await page.exposeFunction("painted", (/** @type {string} */ event, /** @type {number} */ at) => {
  console.log(JSON.stringify({ event, at }));
});
await page.goto(url);
await page.waitForSelector("[data-testid=transcript] [data-testid=entry]");
await page.evaluate(() => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = new Set([...document.querySelectorAll("[data-event]")].map((entry) => entry.dataset.event));
  const look = () => {
    for (const { dataset: { event } } of document.querySelectorAll("[data-testid=entry]")) {
      if (seen.has(event)) continue;
      seen.add(event);
      // After the frame that it is drawn in.
      requestAnimationFrame(() => setTimeout(() => window.painted(event, now())));
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
});
console.log("ready");
