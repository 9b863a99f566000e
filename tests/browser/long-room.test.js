// A room with a long past. BROWSER_EVENTS says how many were said in it.

import assert from "node:assert/strict";
import { by, entry, openRoom, say } from "./lib/browser.js";
import { Control } from "./lib/control.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

const EVENTS = Number(process.env.BROWSER_EVENTS || 20_000);
/** What is asked for by hand may take as long as it takes; by default a minute must do. */
const SECONDS = process.env.BROWSER_EVENTS ? 900 : 60;
const ROWS = 300;

scene("a room of many thousands is as light as a short one", async (scene, t) => {
  const alice = await scene.person("alice");
  await alice.init();
  const control = await Control.open(alice);
  scene.endings.push(() => control.close());
  // A person who looked once: from there on the companion keeps the place.
  await control.ask({ ask: "mark_read", through: 2 });
  // What is said at once comes in any order. What is looked for below is said one after the other.
  for (const text of ["right before the place", "the place that is looked for", "right after the place"]) await control.ask({ ask: "send", kind: "chat", text });
  const started = Date.now();
  const said = await control.sayMany(EVENTS, (index) => ({ text: `number #${index}: ${"a word and another. ".repeat(index % 7)}` }), { seconds: SECONDS });
  t.diagnostic(`${said} events said in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  assert.ok(said >= Math.min(EVENTS, 2_000), `only ${said} events were said`);
  await control.ask({ ask: "send", kind: "chat", text: "the last of many" });

  const page = await openRoom(await scene.browser(), alice);
  const scroller = page.locator(by("scroller"));
  const newest = page.locator(by("jump-newest"));
  await entry(page, "the last of many").waitFor();

  // Up through what was said, as a wheel does it: there is always something to see, and never too much of it.
  await scroller.hover();
  const far = await page.locator(by("entry")).first().getAttribute("data-event");
  for (let turn = 0; turn < 40; turn += 1) {
    await page.mouse.wheel(0, -2_500);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.ok(await page.locator(by("entry")).count() <= ROWS);
  }
  await until("pages to have been turned", async () => await page.locator(`[data-event="${far}"]`).count() === 0 || page.mouse.wheel(0, -2_500));
  await newest.click();
  await entry(page, "the last of many").waitFor();
  await atBottom(scroller);

  // To a place in the deep past and back again, by search.
  await page.keyboard.press("Escape");
  await page.locator(by("open-search")).click();
  await page.locator(by("search")).fill("place that is looked for");
  await page.keyboard.press("Enter");
  const found = entry(page, "the place that is looked for");
  // The debug build looks through some thousand events a second.
  await found.waitFor({ timeout: SECONDS * 1_000 });
  await found.hover();
  await found.locator(by("show-in-place")).click();
  await entry(page, "right before the place").waitFor();
  await entry(page, "right after the place").waitFor();
  await scroller.hover();
  await until("the room's beginning", async () => {
    await page.mouse.wheel(0, -5_000);
    return page.getByText("Here the room begins").isVisible();
  });
  assert.ok(await page.locator(by("entry")).count() <= ROWS);

  // Something new is told of while one reads elsewhere, and one step away.
  await alice.ask("send", "said just now");
  await newest.click();
  await entry(page, "said just now").waitFor();
  await atBottom(scroller);
  await say(page, "and answered");
  await entry(page, "and answered").waitFor();
  assert.deepEqual(page.complaints, []);
}, 1_000_000);

scene("reading goes on at the first message that was not read", async (scene) => {
  const { alice, bob } = await scene.pair();
  const browser = await scene.browser();
  await alice.ask("send", "read by bob");
  const before = await openRoom(browser, bob);
  await entry(before, "read by bob").waitFor();
  await until("bob to have read", async () => (await bob.status()).rooms[0].unread === 0);
  await before.context().close();
  const control = await Control.open(alice);
  scene.endings.push(() => control.close());
  await control.sayMany(400, (index) => ({ text: `unread ${index}` }), { atOnce: 1 });
  await until("all of them to have arrived", async () => (await bob.status()).rooms[0].unread >= 400);

  const his = await openRoom(browser, bob);
  await entry(his, /unread 0\s*$/).waitFor();
  await his.locator(by("unread-divider")).waitFor();
  assert.ok(await his.locator(by("entry")).count() <= ROWS);
  await his.locator(by("jump-newest")).click();
  await entry(his, "unread 399").waitFor();
  await his.locator(by("jump-first-unread")).click();
  await entry(his, /unread 0\s*$/).waitFor();
});

async function atBottom(scroller) {
  await until("the newest to be on the screen", () => scroller.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 60));
}
