// How the page looks, and to whom it is of use: axe, phone width, pictures. BROWSER_SHOTS is their folder.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { agreedRoom, takesFloor } from "./lib/agreed.js";
import { axe, by, entry, openPage, openRoom, say } from "./lib/browser.js";
import { livelyRoom } from "./lib/lively.js";
import { until } from "./lib/patience.js";
import { scene } from "./lib/scene.js";

const SHOTS = process.env.BROWSER_SHOTS || fs.mkdtempSync(path.join(os.tmpdir(), "pairwave-shots-"));
const PHONE = { width: 390, height: 844, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

scene("a working day is of use to everybody, in light and dark", async (scene) => {
  const { alice, bob } = await livelyRoom(scene);
  const browser = await scene.browser();
  const findings = [];
  const look = (page, state) => looked(page, state, findings);

  const locked = await openPage(browser, new URL("/", await alice.link()).href);
  await locked.locator(by("locked")).waitFor();
  await look(locked, "locked");

  const page = await openRoom(browser, alice, { timezoneId: "Europe/Berlin" });
  await until("code in colours: the first look at a language may take a debug build too long", async () => {
    if (await page.locator(".hl-storage").count() > 0) return true;
    await page.reload();
    return entry(page, "opening brackets").waitFor();
  });
  await settled(page);
  await page.locator(by("jump-first-unread")).waitFor({ state: "hidden" });
  await page.locator(by("tab-ledger")).click();
  await page.locator(by("ledger-line")).first().waitFor();
  await look(page, "room");
  await page.locator(by("tab-people")).click();
  await walk(page, look);
  await walkOnPhone(browser, alice, look);

  await bob.run("down");
  await page.locator(`${by("member")}[data-online="false"]`).waitFor();
  await alice.ask("send", "See you tomorrow.");
  await page.locator(by("pending")).waitFor();
  await look(page, "away");
  await alice.kill();
  await page.locator(by("offline")).waitFor();
  await look(page, "offline");
  assert.deepEqual(findings, []);
}, 200_000);

scene("a first evening is of use to everybody, in light and dark", async (scene) => {
  const alice = await scene.person("alice");
  const bob = await scene.person("bob");
  const { invite } = await alice.init();
  const browser = await scene.browser();
  const findings = [];
  const look = (page, state) => looked(page, state, findings);
  const page = await openRoom(browser, alice);
  await page.locator(by("state-alone")).waitFor();
  await look(page, "alone");
  await bob.join(invite);
  await page.locator(by("unverified")).waitFor();
  const asked = bob.ask("verify");
  await page.locator(by("verify-asked")).waitFor();
  await look(page, "asked");
  await page.locator(by("verify-asked-accept")).click();
  await page.locator(by("verify-say")).waitFor();
  await asked;
  await look(page, "words");
  await page.setViewportSize(PHONE);
  await look(page, "phone-words");
  const words = await page.locator(`${by("verify-say")} li`).allTextContents();
  await enter(page, "these are mistyped");
  await page.locator(by("verify-note")).waitFor();
  await look(page, "phone-mistyped");
  assert.deepEqual(await page.locator(`${by("verify-say")} li`).allTextContents(), words, "the exchange goes on");
  await enter(page, "equip crew joy");
  await page.locator(by("verify-failed")).waitFor();
  await look(page, "phone-wrong-words");
  assert.deepEqual(findings, []);
});

scene("what is agreed and what is asked is of use to everybody, in light and dark", async (scene) => {
  const { alice, his } = await agreedRoom(scene, ["lexer", "reviewer"]);
  await takesFloor(his);
  const browser = await scene.browser();
  const findings = [];
  await his.call("pair_share_code", { headline: "Comments may end the file", is_patch: true, content: PATCH });
  await his.call("pair_request_action", { action: "run_command", risk: "low", summary: "Clean up before the tests", payload: "rm -rf ./target/* && cargo test" });
  for (const [name, size] of [["", {}], ["phone-", PHONE]]) {
    const page = await openRoom(browser, alice, size);
    const look = (state) => looked(page, name + state, findings);
    await page.locator(`${by("approve")}:not(.is-arming)`).waitFor();
    await look("request");
    await page.locator(by("deny")).click();
    await look("deny");
    await page.keyboard.press("Escape");
    await page.locator(by("request-card")).waitFor();
    await look("agreed");
    for (const what of ["charter", "floor", "quarantine"]) {
      await page.locator(by(`open-${what}`)).click();
      await page.locator(by({ charter: "charter-text", floor: "floor-holder", quarantine: "artifact" }[what])).waitFor();
      await look(what);
      await page.keyboard.press("Escape");
    }
    await page.context().close();
  }
  assert.deepEqual(findings, []);
});

scene("what a room remembers is of use to everybody, in light and dark", async (scene) => {
  const { alice, hers, his } = await livelyRoom(scene);
  await alice.ask("send", "Let us keep what we know.");
  const first = await his.call("pair_remember", { headline: "Depth of the corpus", content: "The deepest file nests **40** levels.", tags: ["corpus"] });
  const instead = { headline: "Depth of the corpus", content: "The deepest file nests 100,000 levels:\n\n```rust\nfn depth(file: &File) -> usize { file.brackets().max().unwrap_or_default() }\n```\n\nA fuzzer made it. Everything else ends at 17.", tags: ["corpus", "parser"], provenance: ["bench/corpus.md:12"], supersedes: first.event };
  await until("alice to have it", () => hers.call("pair_remember", instead).catch(() => null));
  await his.call("pair_git", { op: "setup", repo: "https://example.org/parser.git", branch: "errors", base_commit: "3f9c2e1aa0" });
  await his.call("pair_git", { op: "claim", paths: ["src/parser/errors/**", "tests/errors.rs"], note: "The error paths of the parser" });
  await his.call("pair_git", { op: "commit", sha: "9d3e1b77c2", message: "Count brackets", paths: ["src/parser/depth.rs"] });
  await hers.call("pair_git", { op: "claim", paths: ["src/lexer/*.rs"], note: "Numbers with exponents" });
  await until("bob to know", async () => (await his.call("pair_git", { op: "status" })).git.claims.length === 2);
  await his.call("pair_git", { op: "commit", sha: "aa11bb2d90", message: "Take exponents", paths: ["src/lexer/number.rs"] });
  const browser = await scene.browser();
  const findings = [];
  for (const [name, size] of [["", {}], ["phone-", PHONE]]) {
    const page = await openRoom(browser, alice, size);
    const look = (state) => looked(page, name + state, findings);
    if (name) await page.locator(by("toggle-people")).click();
    for (const [tab, part] of [["ledger", "ledger-line"], ["brain", "recollection"], ["days", "day"], ["git", "git-conflict"]]) {
      await page.locator(by(`tab-${tab}`)).click();
      await page.locator(by(part)).first().waitFor();
      if (tab === "brain") {
        await page.locator(by("brain-superseded")).check();
        await page.locator(by("bring-back")).waitFor();
      }
      await look(tab);
    }
    await page.locator(by("tab-ledger")).click();
    for (const [what, part] of [["handoff", "handoff-text"], ["report", "report-text"], ["export", "export-md"]]) {
      await page.locator(by(`open-${what}`)).click();
      await page.locator(by(part)).waitFor();
      await look(what);
      await page.keyboard.press("Escape");
    }
    await page.context().close();
  }
  assert.deepEqual(findings, []);
}, 200_000);

const PATCH = `--- a/src/lexer.rs
+++ b/src/lexer.rs
@@ -38,3 +38,4 @@ impl Lexer {
     fn take_comment(&mut self) -> usize {
-        self.rest.find(b'\\n').unwrap()
+        // Ends at the newline, or with the file.
+        self.rest.find(b'\\n').unwrap_or(self.rest.len())
     }
`;

async function enter(page, words) {
  await page.locator(by("verify-heard-1")).fill("");
  await page.locator(by("verify-heard-1")).fill(words);
  await page.locator(by("verify-enter")).click();
}

/** Takes a picture in light and in dark, and notes what is wrong with the page. */
async function looked(page, state, findings) {
  fs.mkdirSync(SHOTS, { recursive: true });
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: path.join(SHOTS, `${state}-${scheme}.png`) });
    findings.push(...(await axe(page)).map((finding) => `${state}, ${scheme}: ${finding}`));
  }
  findings.push(...(await overflowing(page)).map((what) => `${state}: wider than its place: ${what}`));
}

/** Reads on to the end, since only what stood on the screen counts as read. */
async function settled(page) {
  const [newest, unread] = [page.locator(by("jump-newest")), page.locator(by("jump-first-unread"))];
  await until("everything to be read", async () => {
    await page.locator(by("scroller")).hover();
    if (await newest.isVisible()) await page.mouse.wheel(0, 300);
    else if (await page.locator(".is-unread").count() === 0) return true;
    else if (await unread.isVisible()) await unread.click();
    return false;
  });
  await page.mouse.move(0, 0);
}

/** Everything that opens over the room. */
async function walk(page, look) {
  await entry(page, "opening brackets").hover();
  await entry(page, "opening brackets").locator(by("inspect")).click();
  await page.locator(by("inspector")).waitFor();
  await look(page, "inspector");
  await page.keyboard.press("Escape");

  await page.locator(by("verify")).click();
  await look(page, "verify");
  await page.keyboard.press("Escape");

  await page.locator(by("head-invite")).click();
  await page.locator(by("invite-make")).click();
  await page.locator(by("invite-qr")).waitFor();
  await page.locator(by("invite")).first().waitFor();
  await look(page, "invites");
  await page.keyboard.press("Escape");

  await page.keyboard.press("Control+k");
  await page.locator(by("palette-option")).first().waitFor();
  await look(page, "palette");
  await page.keyboard.press("Escape");

  await page.locator(by("room-title")).click();
  await page.keyboard.press("?");
  await page.locator(by("keys-dialog")).waitFor();
  await look(page, "keys");
  await page.keyboard.press("Escape");

  await page.keyboard.press("/");
  await page.locator(by("search")).fill("parse_value");
  await page.keyboard.press("Enter");
  await page.locator(by("show-in-place")).first().waitFor();
  await look(page, "search");
  await page.locator(by("search-close")).click();
  await entry(page, "refuses the 129th").waitFor();

  await page.locator(by("composer-kind")).selectOption("decision");
  await look(page, "composing");
  await page.locator(by("composer-kind")).selectOption("chat");
}

async function walkOnPhone(browser, person, look) {
  const page = await openRoom(browser, person, { ...PHONE, timezoneId: "Europe/Berlin" });
  await settled(page);
  await look(page, "phone");
  await page.locator(by("open-rail")).click();
  await page.locator(by("own-name")).waitFor();
  await look(page, "phone-rooms");
  await page.keyboard.press("Escape");
  await page.locator(by("toggle-people")).click();
  await page.locator(by("members")).waitFor();
  await look(page, "phone-people");
  await page.keyboard.press("Escape");
  await page.locator(by("head-invite")).click();
  await page.locator(by("invite-make")).click();
  await page.locator(by("invite-qr")).waitFor();
  await look(page, "phone-invites");
  await page.keyboard.press("Escape");
  await entry(page, "opening brackets").scrollIntoViewIfNeeded();
  await look(page, "phone-code");
  await say(page, "from the phone");
  await entry(page, "from the phone").waitFor();
  await page.context().close();
}

/** What makes the page, or the transcript, scroll sideways. */
function overflowing(page) {
  return page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".scroller, .side, dialog[open], .dialog-body")]
    .filter((one) => one.getClientRects().length && one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.localName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`));
}
