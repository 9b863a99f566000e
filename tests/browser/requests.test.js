// The first gate: what a human is shown, and what it takes to say yes.

import assert from "node:assert/strict";
import { agreedRoom, asks, takesFloor } from "./lib/agreed.js";
import { by, openRoom } from "./lib/browser.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

const dialog = by("request-dialog");
/** With markup, a turn of the direction, something that is not seen, and a Cyrillic letter. */
const COMMAND = "echo '<script>document.title = 1</script>' && ./t\u0435st \u202etxt\u200b";
const PATCH = `--- a/src/lexer.rs
+++ b/src/lexer.rs
@@ -1,2 +1,2 @@
 fn end() {
-    old
+    <b>new</b>
`;

scene("nobody approves by accident, and what is approved is what was shown", async (scene) => {
  const { alice, bob, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  await takesFloor(his);
  const page = await openRoom(await scene.browser(), alice);
  const said = answersOf(page);
  await standStill(page);
  const { request } = await his.call("pair_request_action", { action: "run_command", risk: "low", summary: "Look at the corpus", payload: COMMAND });
  await appear(page, request);

  const focused = () => page.evaluate(() => document.activeElement?.localName);
  assert.equal(await focused(), "h2", "the focus is at what is asked, not at a button");
  for (const key of ["Enter", "Space", "Enter"]) await page.keyboard.press(key);
  await page.locator(by("have-read")).check();
  await page.locator(by("approve")).click();
  await page.locator(by("approve")).click({ delay: 20 });
  await page.clock.runFor(450);
  await page.locator(by("approve")).click();
  assert.deepEqual(said, [], "too soon to be meant");
  assert.equal(await state(alice, request), "pending");

  assert.equal(await page.locator(by("risk")).first().textContent(), "high risk");
  assert.match(await page.locator(by("claimed-risk")).textContent(), /bob says low/);
  const payload = page.locator(`${dialog} ${by("payload")}`);
  assert.equal(await payload.textContent(), "echo '<script>document.title = 1</script>' && ./t\u0435st U+202EtxtU+200B");
  assert.equal(await payload.locator("script, b").count(), 0);
  assert.equal(await payload.locator(".foreign").textContent(), "\u0435");
  assert.match(await page.locator(by("signs-note")).textContent(), /2 signs .* 1 letter /);
  assert.equal(await page.locator(by("always-allow")).count(), 0, "never for high risk");

  await page.clock.runFor(600);
  await page.locator(by("have-read")).uncheck();
  await page.locator(by("approve")).click();
  await page.locator(by("request-refusal")).filter({ hasText: "tick" }).waitFor();
  assert.deepEqual(said, []);
  await page.locator(by("have-read")).check();
  await page.locator(by("approve")).click();
  await page.locator(dialog).waitFor({ state: "detached" });
  const shown = (await asks(alice, { ask: "show_request", request })).request;
  assert.deepEqual(said.map(({ hash, decision, always_allow }) => ({ hash, decision, always_allow })), [{ hash: shown.hash, decision: "approve", always_allow: undefined }]);
  await until("bob to know", async () => await state(bob, request) === "approved");
  assert.equal((await asks(alice, { ask: "show_request", request })).payload, COMMAND);
});

scene("it works by keyboard, and a key that is held approves nothing", async (scene) => {
  const { alice, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  await takesFloor(his);
  const page = await openRoom(await scene.browser(), alice);
  const { request } = await his.call("pair_request_action", { action: "apply_patch", risk: "medium", summary: "End the file", payload: PATCH });
  await page.locator(dialog).waitFor();
  assert.deepEqual(await page.locator(`${by("payload")} li`).evaluateAll((lines) => lines.map((line) => [line.className, line.dataset.before, line.dataset.after, line.textContent])), [
    ["is-head", "", "", "--- a/src/lexer.rs\n"], ["is-head", "", "", "+++ b/src/lexer.rs\n"], ["is-hunk", "", "", "@@ -1,2 +1,2 @@\n"],
    ["is-same", "1", "1", " fn end() {\n"], ["is-removed", "2", "", "-    old\n"], ["is-added", "", "2", "+    <b>new</b>\n"],
  ]);

  await page.keyboard.press("Escape");
  await page.locator(dialog).waitFor({ state: "detached" });
  assert.equal(await state(alice, request), "pending");
  await page.locator(by("next-step-go")).click();
  await page.locator(`${by("approve")}:not(.is-arming)`).waitFor();

  await page.keyboard.down("Enter");
  await page.locator(by("approve")).focus();
  await page.keyboard.down("Enter");
  await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  assert.equal(await page.locator(dialog).count(), 1, "a key that was down before");
  assert.equal(await state(alice, request), "pending");

  await page.locator(`${dialog} h2`).focus();
  await tabTo(page, "approve");
  await page.keyboard.press("Enter");
  await page.locator(dialog).waitFor({ state: "detached" });
  assert.equal(await state(alice, request), "approved");
  await page.locator(`${by("request-state")}`).filter({ hasText: "approved" }).waitFor();
});

scene("several requests come one after the other, and a denial is told", async (scene) => {
  const { alice, bob, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  await takesFloor(his);
  const browser = await scene.browser();
  const [page, bobs] = [await openRoom(browser, alice), await openRoom(browser, bob)];
  const ask = (summary, target) => his.call("pair_request_action", { action: "write_file", risk: "medium", summary, payload: summary, target_path: target });
  const first = await ask("The first", "notes/first.md");
  await page.locator(`${dialog}[data-request="${first.request}"]`).waitFor();
  const second = await ask("The second", "notes/second.md");
  await page.locator(by("queue")).filter({ hasText: "1 more waits" }).waitFor();

  await standStill(page);
  await page.locator(by("deny")).click();
  await page.locator(by("deny-reason")).fill("Not in this folder.");
  await page.keyboard.press("Enter");
  await appear(page, second.request);
  await page.locator(by("approve")).click();
  assert.equal(await state(alice, second.request), "pending", "the guard is new with each");
  await page.clock.runFor(600);
  await page.clock.resume();
  await page.locator(by("always-allow")).check();
  await page.locator(by("approve")).click();
  await page.locator(dialog).waitFor({ state: "detached" });

  await bobs.locator(by("request-outcome")).filter({ hasText: "Not in this folder." }).waitFor();
  await until("his agent to be told", async () => JSON.stringify(await his.call("pair_read", {})).includes("Not in this folder."));
  const third = await ask("The third", "notes/third.md");
  await until("what is always allowed to need nobody", async () => await state(alice, third.request) === "approved");
  assert.equal(await page.locator(dialog).count(), 0);
});

scene("a request that changes while it is looked at must be looked at again", async (scene) => {
  const { alice, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  await takesFloor(his);
  const page = await openRoom(await scene.browser(), alice);
  let isJudgedAnew = false;
  await page.route("**/api/ask", async (route) => {
    if (!isJudgedAnew || route.request().postDataJSON().ask !== "show_request") return route.fallback();
    const answer = await route.fetch();
    const detail = await answer.json();
    detail.request.warnings = [{ rule: "anew", risk: "high", reason: "It is worse than it looked.", excerpt: "" }];
    return route.fulfill({ response: answer, json: detail });
  });
  await his.call("pair_request_action", { action: "fetch_url", risk: "low", summary: "Read the grammar", payload: "https://example.org/grammar" });
  await page.locator(`${by("approve")}:not(.is-arming)`).waitFor();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1000);
  isJudgedAnew = true;
  const other = await his.call("pair_request_action", { action: "fetch_url", risk: "low", summary: "Read the tests", payload: "https://example.org/tests" });
  await until("what is shown to be new", async () => {
    await page.clock.runFor(20);
    return await page.locator(by("warnings")).count() > 0;
  });
  await page.locator(by("approve")).click();
  assert.equal(await page.locator(by("request-refusal")).textContent(), "What is shown here has changed just now. Look at it again.");
  assert.equal(await state(alice, other.request), "pending");
});

/** What the page says to requests. */
function answersOf(page) {
  const said = [];
  page.on("request", (request) => {
    const question = request.url().endsWith("/api/ask") ? request.postDataJSON() : null;
    if (question?.ask === "respond") said.push(question);
  });
  return said;
}

/** From now on the page's clock goes on only by hand. */
async function standStill(page) {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1000);
}

/** Lets the page's clock run just until a request is shown. */
function appear(page, request) {
  return until("the request to appear", async () => {
    if (await page.locator(`${dialog}[data-request="${request}"]`).count()) return true;
    await page.clock.runFor(20);
    return false;
  });
}

async function state(person, request) {
  return (await asks(person, { ask: "show_request", request })).request.state;
}

async function tabTo(page, id) {
  for (let steps = 0; steps < 20; steps += 1) {
    if (await page.evaluate((id) => document.activeElement?.getAttribute("data-testid") === id, id)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${id} is not reached by Tab`);
}
