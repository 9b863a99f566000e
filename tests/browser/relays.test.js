// The relays of a room, by clicks.

import assert from "node:assert/strict";
import { by, openRoom } from "./lib/browser.js";
import { scene } from "./lib/scene.js";

const RELAY = "/ip4/192.0.2.1/tcp/4011/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

scene("a relay is named and taken back, and its token is not shown", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const page = await openRoom(await scene.browser(), alice);
  await page.locator(by("open-relays")).click();
  const dialog = page.locator(by("relays-dialog"));
  await dialog.locator(by("relay-address")).fill("relay.example.org");
  await dialog.locator(by("relay-add")).click();
  await dialog.locator("[role=alert]").filter({ hasText: "relay-node" }).waitFor();

  await dialog.locator(by("relay-address")).fill(`${RELAY}#prt-planted`);
  await dialog.locator(by("relay-add")).click();
  const row = dialog.locator(by("relay"));
  await row.filter({ hasText: RELAY }).waitFor();
  assert.ok(!(await page.content()).includes("planted"), "the token is shown");

  await row.locator(by("relay-remove")).click();
  await row.waitFor({ state: "detached" });
});
