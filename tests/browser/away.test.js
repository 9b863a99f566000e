// A companion that is killed, and comes back.

import assert from "node:assert/strict";
import { by, entry, openRoom, say, shown } from "./lib/browser.js";
import { scene } from "./lib/scene.js";

scene("the page goes on by itself after the companion was killed", async (scene) => {
  const { alice, bob } = await scene.pair();
  const browser = await scene.browser();
  const hers = await openRoom(browser, alice);
  const text = hers.locator(by("composer-text"));
  await say(hers, "before");
  await bob.ask("send", "heard before");
  await entry(hers, "heard before").waitFor();

  await alice.kill();
  await hers.locator(by("offline")).waitFor();
  assert.equal(await entry(hers, "before").count(), 2, "what was shown stays");
  await say(hers, "said while away");
  await hers.locator(by("composer-waiting")).waitFor();
  await bob.ask("send", "said meanwhile by bob");
  await alice.wake();

  await hers.locator(by("offline")).waitFor({ state: "hidden" });
  await entry(hers, "said while away").waitFor();
  await entry(hers, "said meanwhile by bob").waitFor();
  await hers.locator(by("composer-waiting")).waitFor({ state: "detached" });
  assert.equal(await text.inputValue(), "");

  await text.fill("half a sentence");
  await alice.kill();
  await hers.locator(by("offline")).waitFor();
  assert.equal(await text.inputValue(), "half a sentence");
  await text.pressSequentially(" and the rest");
  await alice.wake();
  await hers.locator(by("offline")).waitFor({ state: "hidden" });
  assert.equal(await text.inputValue(), "half a sentence and the rest");
  await hers.reload();
  await entry(hers, "said meanwhile by bob").waitFor();
  assert.equal(await text.inputValue(), "half a sentence and the rest");
  await text.press("Enter");
  await entry(hers, "and the rest").waitFor();

  const texts = (await shown(hers)).map((one) => one.text);
  assert.deepEqual([...texts].sort(), ["before", "half a sentence and the rest", "heard before", "said meanwhile by bob", "said while away"]);
  const said = (await alice.said()).map((one) => one.text);
  assert.deepEqual(texts, said);
});

scene("a message whose answer was lost is said once", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const browser = await scene.browser();
  const hers = await openRoom(browser, alice);
  // The companion takes it and dies before the page hears so.
  let lost = 0;
  await hers.route("**/api/ask", async (route) => {
    if (lost || !route.request().postData().includes('"send"')) return route.continue();
    lost += 1;
    await route.fetch();
    await alice.kill();
    await route.abort();
  });
  await say(hers, "once");
  await hers.locator(by("offline")).waitFor();
  await alice.wake();
  await hers.locator(by("offline")).waitFor({ state: "hidden" });
  await hers.locator(by("composer-waiting")).waitFor({ state: "detached" });
  await entry(hers, "once").waitFor();
  await say(hers, "and something else");
  await entry(hers, "and something else").waitFor();
  assert.equal(lost, 1);
  assert.deepEqual((await shown(hers)).map((one) => one.text), ["once", "and something else"]);
  assert.deepEqual((await alice.said()).map((one) => one.text), ["once", "and something else"]);
});
