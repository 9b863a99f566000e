// A first conversation, by clicks, in two browsers.

import assert from "node:assert/strict";
import { by, entry, openRoom, say, shown } from "./lib/browser.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

scene("two people meet, verify each other and talk", async (scene) => {
  const alice = await scene.person("alice");
  const bob = await scene.person("bob");
  await alice.init();
  const browser = await scene.browser();
  const hers = await openRoom(browser, alice, { permissions: ["clipboard-read", "clipboard-write"] });
  await hers.locator(by("state-alone")).waitFor();

  const invite = await inviteByClicks(hers);
  await bob.join(invite);
  const his = await openRoom(browser, bob);
  await hers.locator(by("member")).nth(1).waitFor();

  await verifyByClicks(hers, his);

  await say(hers, "hello bob");
  await entry(his, "hello bob").waitFor();
  await say(his, "hello alice");
  await entry(hers, "hello alice").waitFor();
  await askAndAnswer(hers, his);

  const states = hers.locator(by("delivery-state"));
  await until("everything of alice to be delivered", async () => {
    const all = await states.evaluateAll((marks) => marks.map((mark) => mark.dataset.state));
    return all.length >= 2 && all.every((state) => state === "delivered" || state === "shown");
  });

  const expected = ["hello bob", "hello alice", "Does the parser take trailing commas?", "Yes, since 3.2."];
  assert.deepEqual((await shown(hers)).map((one) => one.text), expected);
  assert.deepEqual(await shown(hers), await shown(his));
  const [said, heard] = [await alice.said(), await bob.said()].map((log) => log.map(({ event, kind, text }) => ({ event, kind, text })));
  assert.deepEqual(said, heard);
  assert.deepEqual(said.map((one) => one.text), expected);
  assert.deepEqual([hers.complaints, his.complaints], [[], []]);
});

async function inviteByClicks(page) {
  await page.locator(by("state-alone")).getByRole("button").click();
  await page.locator(by("invite-make")).click();
  await page.locator(by("invite-qr")).waitFor();
  await page.locator(by("invite-copy")).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await page.locator(by("invite-text")).inputValue());
  await page.keyboard.press("Escape");
  return copied;
}

async function verifyByClicks(hers, his) {
  await hers.locator(by("verify")).click();
  await hers.locator(by("verify-begin")).click();
  await his.locator(by("verify-asked-accept")).click();
  const [herWords, hisWords] = [await words(hers), await words(his)];
  assert.notDeepEqual(herWords, hisWords);
  await type(hers, hisWords);
  await type(his, herWords);
  for (const page of [hers, his]) {
    await page.locator(by("verify-done")).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(by("verified")).first().waitFor();
  }
}

async function words(page) {
  await page.locator(by("verify-say")).waitFor();
  const words = await page.locator(`${by("verify-say")} li`).allTextContents();
  assert.equal(words.length, 3);
  return words;
}

async function type(page, words) {
  for (const [index, word] of words.entries()) await page.locator(by(`verify-heard-${index + 1}`)).fill(word);
  await page.locator(by("verify-enter")).click();
}

async function askAndAnswer(hers, his) {
  await hers.locator(by("composer-kind")).selectOption("question");
  await say(hers, "Does the parser take trailing commas?");
  await entry(his, "trailing commas").locator(by("answer")).click();
  await his.locator(by("composer-answers")).waitFor();
  await say(his, "Yes, since 3.2.");
  await entry(hers, "since 3.2").locator(by("goto-question")).waitFor();
  await entry(hers, "trailing commas").locator(by("goto-answer")).click();
}
