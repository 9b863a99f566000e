// What the room remembers, as the page shows it: ledger, brain, days, git, handoff, report, export.

import assert from "node:assert/strict";
import fs from "node:fs";
import { agreedRoom, asks, takesFloor } from "./lib/agreed.js";
import { by, entry, openRoom } from "./lib/browser.js";
import { Control } from "./lib/control.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> \"'>";

scene("the ledger says where the room stands, and leads to each event", async (scene) => {
  const { alice, bob, hers, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  const page = await openRoom(await scene.browser(), alice);
  await page.keyboard.press("l");
  for (const section of ["questions", "requests", "decisions", "headlines", "artifacts"]) {
    await page.locator(by(`ledger-${section}`)).filter({ hasText: /None/ }).waitFor();
  }
  const question = (await bob.ask("send", "--kind", "question", `Which ${HOSTILE}?`)).event;
  await line(page, "questions", question).filter({ hasText: HOSTILE }).waitFor();
  await takesFloor(his);
  const decision = await his.say({ kind: "decision", headline: "Depth ends at 128", text: "The parser counts.", rationale: "One comparison." });
  const code = (await his.call("pair_share_code", { headline: "A hook", language: "bash", content: "true\n" })).event;
  const { request } = await his.call("pair_request_action", { action: "run_command", risk: "high", summary: "Clean up", payload: "rm -rf target" });
  await page.locator(by("deny")).click();
  await page.locator(by("deny-confirm")).click();
  await page.locator(`${by("request-states")} [data-state=denied]`).filter({ hasText: "1 denied" }).waitFor();
  for (const [section, event] of [["decisions", decision], ["artifacts", code]]) {
    await line(page, section, event).press("Enter");
    await page.locator(`${by("entry")}[data-event="${event}"]:focus`).waitFor();
  }
  assert.equal(await line(page, "requests", request).count(), 0, "it is settled");

  await hers.say({ kind: "answer", answers: question, text: "The old one." });
  await page.locator(by("ledger-questions")).filter({ hasText: /None/ }).waitFor();
  for (let number = 0; number < 7; number += 1) await bob.ask("send", "--kind", "question", `open ${number}`);
  const open = page.locator(by("ledger-questions"));
  await open.locator(by("ledger-unfold")).filter({ hasText: "3 more" }).click();
  assert.equal(await open.locator(by("ledger-line")).count(), 7);
  await open.locator(`${by("ledger-line")}:nth-child(1):focus`).waitFor();
  await open.locator(by("ledger-all")).filter({ hasText: "All 8 in the transcript" }).click();
  await until("the questions alone", async () => await page.locator(by("entry")).count() === 8);
  assert.equal(await page.locator(`${by("entry")}:not([data-kind=question])`).count(), 0);
  assert.deepEqual(page.complaints, []);
});

scene("the brain is searched as one types, and what was replaced comes back", async (scene) => {
  const { alice, hers, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  const page = await openRoom(await scene.browser(), alice);
  await page.keyboard.press("b");
  await page.locator(by("brain")).filter({ hasText: "pair_remember" }).waitFor();
  const old = (await hers.call("pair_remember", { headline: "How deep files nest", content: `**40** levels ${HOSTILE}`, tags: ["corpus"], provenance: ["bench/corpus.md:12"] })).event;
  await until("bob to have it", () => his.call("pair_recall", { query: "nest" }).then(({ entries }) => entries.length));
  const newer = (await his.call("pair_remember", { headline: "How deep they really nest", content: "100,000 levels.", tags: ["corpus"], supersedes: old })).event;
  const other = (await hers.call("pair_remember", { headline: "Grammatik", content: "ドキュメントは仕様の第五章にある。", tags: ["spec"], kind: "link" })).event;
  await card(page, newer).waitFor();
  assert.equal(await card(page, old).count(), 0, "it was replaced");

  await page.locator(by("brain-search")).fill("第五章");
  await card(page, newer).waitFor({ state: "detached" });
  await card(page, other).waitFor();
  await page.locator(by("brain-search")).fill("levles");
  await card(page, newer).waitFor();
  await page.locator(by("brain-search")).fill("");
  await page.locator(by("brain-kind")).selectOption("link");
  await card(page, newer).waitFor({ state: "detached" });
  await page.locator(by("brain-kind")).selectOption("");
  await card(page, newer).locator(by("brain-tag")).click();
  await card(page, other).waitFor({ state: "detached" });
  await page.locator(by("brain-tag-chosen")).click();
  await card(page, other).waitFor();

  await page.locator(by("brain-superseded")).check();
  await card(page, old).locator(by("superseded")).waitFor();
  assert.equal(await card(page, old).locator("script, img").count(), 0);
  await card(page, old).locator(by("newer")).click();
  await page.locator(`${by("entry")}[data-event="${newer}"]:focus`).waitFor();
  await card(page, old).locator(by("bring-back")).click();
  await card(page, newer).locator(by("superseded")).waitFor();
  await page.locator(by("brain-superseded")).uncheck();
  await card(page, newer).waitFor({ state: "detached" });
  const copy = page.locator(by("recollection")).filter({ hasText: "How deep files nest" });
  await copy.filter({ hasText: "bench/corpus.md:12" }).filter({ hasText: "#corpus" }).waitFor();
  const { entries } = await until("bob to know", () => his.call("pair_recall", { query: "deep" }).then((found) => (found.entries.some(({ event }) => event === newer) ? null : found)));
  assert.match(entries[0].headline, /How deep files nest/);
  await copy.hover();
  await copy.locator(by("replace")).click();
  await page.locator(by("remember-headline")).fill("How deep files may nest");
  await page.locator(by("remember-keep")).click();
  await page.locator(by("recollection")).filter({ hasText: "How deep files may nest" }).filter({ hasText: "bench/corpus.md:12" }).waitFor();
  await copy.waitFor({ state: "detached" });
  await page.locator(by("open-remember")).click();
  await page.locator(by("remember-headline")).fill("Said by hand");
  await page.locator(by("remember-content")).fill("Humans remember, *too*.");
  await page.locator(by("remember-kind")).selectOption("insight");
  await page.locator(by("remember-tags")).fill("people, #memory");
  await page.locator(by("remember-content")).press("Tab");
  await page.locator(by("remember-keep")).click();
  await page.locator(`${by("recollection")}[data-kind=insight]`).filter({ hasText: "#memory" }).waitFor();
  await until("bob to find it", () => his.call("pair_recall", { query: "humans remember" }).then((found) => found.entries[0]?.headline === "Said by hand"));

  await page.locator(by("brain-search")).fill("no such thing at all");
  await page.locator(by("brain")).filter({ hasText: "Nothing here fits." }).waitFor();
  assert.deepEqual(page.complaints, []);
});

scene("days lead to where each begins, by the clock of who looks, and a long room stays light", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const control = await Control.open(alice);
  scene.endings.push(() => control.close());
  const said = await control.sayMany(5_000, (index) => ({ text: `number ${index}` }), { seconds: 40 });
  assert.ok(said >= 1_000, `only ${said} events were said`);
  const browser = await scene.browser();
  const page = await openRoom(browser, alice, { timezoneId: "Pacific/Kiritimati" });
  const far = await openRoom(browser, alice, { timezoneId: "Pacific/Honolulu" });
  const days = await Promise.all([page, far].map(async (one) => {
    await one.keyboard.press("t");
    await one.locator(by("day")).first().waitFor();
    return one.locator(by("day")).evaluateAll((lines) => lines.map((line) => [line.dataset.day, Number(line.dataset.messages)]));
  }));
  for (const some of days) assert.equal(some.reduce((sum, [, messages]) => sum + messages, 0), said);
  assert.equal(Date.parse(days[0][0][0]) - Date.parse(days[1][0][0]), 86_400_000, "they are 24 hours apart");

  await page.locator(by("day")).last().click();
  await page.getByText("Here the room begins").waitFor();
  await until("the first event to be in focus", () => page.evaluate(() => document.activeElement?.matches("article[data-kind=genesis]")));
  assert.ok(await page.locator(by("entry")).count() < 300, "not everything was loaded");
  await alice.ask("send", "and one more");
  await until("it to be counted", async () => (await page.locator(by("day")).evaluateAll((lines) => lines.reduce((sum, line) => sum + Number(line.dataset.messages), 0))) === said + 1);
  assert.deepEqual([...page.complaints, ...far.complaints], []);
}, 200_000);

scene("a handoff is taken up and written, and a report is read, as clean text", async (scene) => {
  const { alice, bob } = await scene.pair();
  const page = await openRoom(await scene.browser(), alice);
  await page.keyboard.press("h");
  const dialog = page.locator(by("handoff-dialog"));
  await dialog.locator(by("handoff-state")).filter({ hasText: "There was none" }).waitFor();
  await page.keyboard.press("Escape");
  await bob.ask("send", `three ${HOSTILE}`);
  await entry(page, "three").waitFor();
  await page.keyboard.press("l");
  await page.locator(by("open-handoff")).click();
  await dialog.locator(by("handoff-state")).filter({ hasText: /Written .*; 1 event has come since/ }).waitFor();
  await dialog.locator(by("handoff-text")).filter({ hasText: "three" }).waitFor();
  assert.equal(await dialog.locator("script, img").count(), 0);
  await dialog.locator(by("handoff-write")).click();
  await dialog.locator(by("handoff-state")).filter({ hasText: "Written just now" }).waitFor();
  assert.match(fs.readFileSync((await asks(alice, { ask: "resume" })).path, "utf8"), /three/);
  await page.keyboard.press("Escape");

  await page.locator(by("open-report")).click();
  const report = page.locator(by("report-text"));
  await report.filter({ hasText: "Participants" }).filter({ hasText: "bob" }).waitFor();
  await page.locator(by("report-span")).selectOption("24h");
  await report.filter({ hasText: /Since \d/ }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(by("report-save")).click()]);
  assert.match(download.suggestedFilename(), /^report-.*\.md$/);
  assert.deepEqual(page.complaints, []);
});

scene("the transcript is saved in three forms, and nothing that a peer wrote runs in it", async (scene) => {
  const { alice, bob } = await scene.pair();
  const browser = await scene.browser();
  const page = await openRoom(browser, alice);
  const control = await Control.open(bob);
  scene.endings.push(() => control.close());
  await control.sayMany(150, (index) => ({ text: `${index} ${HOSTILE}` }), { atOnce: 1 });
  await entry(page, "149 <img").waitFor();
  await page.keyboard.press("l");
  await page.locator(by("open-export")).click();
  const files = {};
  for (const format of ["md", "html", "json"]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(by(`export-${format}`)).click()]);
    assert.match(download.suggestedFilename(), new RegExp(`^transcript-parser-.*\\.${format}$`));
    files[format] = `${scene.folder}/transcript.${format}`;
    await download.saveAs(files[format]);
  }
  const { events, room } = JSON.parse(fs.readFileSync(files.json, "utf8"));
  assert.equal(room, (await alice.status()).rooms[0].room);
  assert.equal(events.filter(({ text }) => text.includes(HOSTILE)).length, 150);
  assert.match(fs.readFileSync(files.md, "utf8"), /149 /);

  const context = await browser.newContext();
  const other = await context.newPage();
  const heard = [];
  other.on("request", (request) => heard.push(request.url()));
  other.on("dialog", (dialog) => heard.push(dialog.message()));
  await other.goto(`file://${files.html}`);
  assert.equal(await other.locator("article").filter({ hasText: HOSTILE }).count(), 150);
  assert.equal(await other.locator("script, img, iframe, object, link, form").count(), 0);
  assert.deepEqual(heard, [`file://${files.html}`]);

  await page.keyboard.press("Escape");
  await alice.run("down");
  await page.locator(by("offline")).waitFor();
  await page.locator(by("open-export")).click();
  await page.locator(by("export-md")).click();
  await page.locator(by("toasts")).filter({ hasText: "does not answer" }).waitFor();
});

scene("who works on what stands beside the transcript, and one's own claims can be given up there", async (scene) => {
  const { alice, hers, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  const page = await openRoom(await scene.browser(), alice);
  await page.keyboard.press("g");
  for (const part of ["claims", "commits", "sides"]) await page.locator(by(`git-${part}`)).filter({ hasText: /None|Nothing|Nobody/ }).waitFor();
  await his.call("pair_git", { op: "setup", repo: "parser.git", branch: "<b>errors</b>", base_commit: "3f9c2e1" });
  await his.call("pair_git", { op: "claim", paths: ["src/parser/**"], note: `errors ${HOSTILE}` });
  await his.call("pair_git", { op: "commit", sha: "9d3e1b7", message: "Count brackets", paths: ["src/parser/depth.rs"] });
  await hers.call("pair_git", { op: "claim", paths: ["src/lexer/*.rs", "Cargo.toml"] });
  await page.locator(by("git-side")).filter({ hasText: "bob on <b>errors</b>, with 3f9c2e1" }).waitFor();
  await page.locator(by("git-pull")).waitFor();
  await page.locator(by("git-commit")).filter({ hasText: "Count brackets" }).filter({ hasText: "src/parser/depth.rs" }).waitFor();
  const theirs = page.locator(by("git-claim")).filter({ hasText: "src/parser/**" }).filter({ hasText: HOSTILE });
  await theirs.waitFor();
  assert.equal(await theirs.locator(by("git-release")).count(), 0, "it is another’s");
  await theirs.locator("button").first().press("Enter");
  await page.locator(`${by("entry")}[data-kind=paths_claimed]:focus`).waitFor();

  await until("the claim to be at bob’s", async () => (await his.call("pair_git", { op: "status" })).git.claims.length === 2);
  await his.call("pair_git", { op: "commit", sha: "aa11bb2", message: "Touch what is claimed", paths: ["src/lexer/number.rs"] });
  await page.locator(`${by("git-conflict")}[data-kind=commit]`).filter({ hasText: "bob committed to src/lexer/number.rs" }).filter({ hasText: "alice’s claim holds" }).waitFor();
  const ours = page.locator(by("git-claim")).filter({ hasText: "src/lexer/*.rs" });
  await ours.locator(by("git-release")).click();
  await ours.waitFor({ state: "detached" });
  await until("bob to know", async () => (await his.call("pair_git", { op: "status" })).git.claims.length === 1);
  assert.deepEqual(page.complaints, []);
});

const line = (page, section, event) => page.locator(`${by(`ledger-${section}`)} [data-event="${event}"]`);
const card = (page, event) => page.locator(`${by("recollection")}[data-event="${event}"]`);
