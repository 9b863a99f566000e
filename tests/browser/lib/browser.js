// Chromium without a window, and the page as a person finds it.

import { createRequire } from "node:module";
import fs from "node:fs";
import { chromium } from "playwright-core";
import { PATIENCE } from "./patience.js";
import { plainEnv } from "./person.js";

const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const BROWSER = process.env.BROWSER_CHROMIUM || "/usr/bin/chromium";

export function launch(...args) {
  return chromium.launch({ executablePath: BROWSER, args: [...ARGS, ...args], env: plainEnv() });
}

/** A part of the page by its hook. */
export const by = (id) => `[data-testid="${id}"]`;

/**
 * A browser of one's own: its own storage, a page in it, and what that page complained about.
 * @param {import("playwright-core").Browser} browser
 */
export async function openPage(browser, url, { width = 1280, height = 800, ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce", ...more });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  await page.goto(url);
  return page;
}

/** As [`openPage`], and waits until the room is shown. */
export async function openRoom(browser, person, options) {
  const page = await openPage(browser, await person.link(), options);
  await page.locator(by("connection-state")).filter({ hasText: "live" }).waitFor({ state: "attached" });
  await page.locator(by("entry")).first().waitFor();
  return page;
}

export const entry = (page, text) => page.locator(by("entry")).filter({ has: page.locator(by("entry-body"), { hasText: text }) });

/** Writes and sends, as a person does. */
export async function say(page, text) {
  await page.locator(by("composer-text")).fill(text);
  await page.locator(by("composer-send")).click();
}

/** The bodies of what was said, as the page shows them. */
export function shown(page) {
  return page.locator(`${by("entry")}:has(${by("entry-body")})`).evaluateAll((entries) => entries
    .filter((one) => one.dataset.kind && ["chat", "question", "answer", "context", "decision", "finding", "status", "review", "handoff"].includes(one.dataset.kind))
    .map((one) => ({ event: one.dataset.event, kind: one.dataset.kind, text: one.querySelector("[data-testid=entry-body]").textContent.trim() })));
}

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, one line each. */
export async function axe(page) {
  await page.evaluate(`${AXE};0`);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap((violation) => violation.nodes.map((node) =>
    `${violation.id}: ${node.target} ${[...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ")}`));
}
