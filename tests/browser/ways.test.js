// Ways to a place in the room, and what comes in between.

import assert from "node:assert/strict";
import { by, entry, openRoom } from "./lib/browser.js";
import { Control } from "./lib/control.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

scene("who is on the way to a place gets there, though the companion went and came back", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  await longPast(alice, 200);
  const page = await openRoom(await scene.browser(), alice);
  await search(page, "number 5;");
  const found = entry(page, "number 5;");
  await found.waitFor();
  const held = await holdBack(page, (question) => question.before ?? question.after);
  await found.hover();
  await found.locator(by("show-in-place")).click();
  await until("the place to be asked for", () => held.count >= 2);
  await page.setViewportSize({ width: 600, height: 800 });
  await drawn(page);
  assert.match(await page.locator(by("transcript-note")).textContent(), /^Opening/, "it does not say that there is nothing");

  await goAndComeBack(page, alice);
  held.letGo();
  await entry(page, "number 4;").waitFor();
  await entry(page, "number 6;").waitFor();
  assert.equal(await entry(page, "number 199;").count(), 0);
});

scene("who changes their mind on the way ends where they wanted to be last", async (scene) => {
  const { page, question } = await questionFarAbove(scene);
  const held = await holdBack(page, ({ before, after }) => [before, after].includes(question));
  await page.locator(by("goto-question")).click();
  await until("the question to be asked for", () => held.count >= 2);
  await page.keyboard.press("n");
  held.letGo();
  await until("the page to have got it", () => held.answered >= 2);
  await page.locator(`${by("transcript")}[aria-busy=false]`).waitFor();
  assert.equal(await entry(page, "Where does it begin?").count(), 0);
  assert.ok(await entry(page, "Far above.").isVisible());
});

scene("a way that leads nowhere says so, and can be gone again", async (scene) => {
  const { page, question } = await questionFarAbove(scene);
  await page.route("**/api/ask", (route) => (route.request().postDataJSON().after === question ? route.abort() : route.fallback()));
  await page.locator(by("goto-question")).click();
  await page.locator(by("toasts")).getByRole("alert").waitFor();
  assert.ok(await entry(page, "Far above.").isVisible());
  await page.unroute("**/api/ask");
  await page.locator(by("goto-question")).click();
  await entry(page, "Where does it begin?").waitFor();
});

scene("who searches goes on searching after the companion came back", async (scene) => {
  const { alice, bob } = await scene.pair();
  await longPast(alice, 100);
  await until("all of it to have arrived", async () => (await bob.status()).rooms[0].unread >= 100);
  const page = await openRoom(await scene.browser(), bob);
  await search(page, "never said");
  const nothing = page.locator(by("transcript-note")).filter({ hasText: "Nothing here matches." });
  await nothing.waitFor();
  await goAndComeBack(page, bob);
  assert.equal(await page.locator(by("search")).inputValue(), "never said");
  assert.ok((await bob.status()).rooms[0].unread > 0, "there is somewhere else to go");
  await nothing.waitFor();
});

/** Says many things, one after the other. */
async function longPast(person, count) {
  const control = await Control.open(person);
  await control.sayMany(count, (index) => ({ text: `number ${index};` }), { atOnce: 1 });
  control.close();
}

/** A page at an answer, whose question is far above. */
async function questionFarAbove(scene) {
  const alice = await scene.person("alice");
  await alice.init();
  const { event: question } = await alice.ask("send", "--kind", "question", "Where does it begin?");
  await longPast(alice, 400);
  await alice.ask("send", "--kind", "answer", "--answers", question, "Far above.");
  const page = await openRoom(await scene.browser(), alice);
  await entry(page, "Far above.").waitFor();
  return { page, question };
}

async function search(page, words) {
  await page.locator(by("open-search")).click();
  await page.locator(by("search")).fill(words);
  await page.keyboard.press("Enter");
}

async function goAndComeBack(page, person) {
  await person.kill();
  await page.locator(by("offline")).waitFor();
  await person.wake();
  await page.locator(by("offline")).waitFor({ state: "hidden" });
}

/** Holds back what the page reads, as a slow companion does, until it is let go. */
async function holdBack(page, isMeant) {
  const held = { count: 0, answered: 0 };
  const isLetGo = new Promise((resolve) => (held.letGo = resolve));
  await page.route("**/api/ask", async (route) => {
    const question = route.request().postDataJSON();
    if (question.ask !== "read" || !isMeant(question)) return route.fallback();
    held.count += 1;
    await isLetGo;
    // The page may have given up on it.
    const answer = await route.fetch().catch(() => null);
    await (answer ? route.fulfill({ response: answer }) : route.abort()).catch(() => {});
    held.answered += 1;
  });
  return held;
}

/** Two frames: what a new size brings about is drawn in the first. */
function drawn(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}
