// A test with people and browsers of its own, all gone when it ends.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { launch } from "./browser.js";
import { BINARY, NoWayIn, Person } from "./person.js";

/** A scene is stopped when it takes longer: something hangs. */
const LIMIT = 150_000;

let pictures = 0;

/**
 * @param {string} name
 * @param {(scene: Scene, t: import("node:test").TestContext) => Promise<void>} play
 */
export function scene(name, play, limit = LIMIT) {
  test(name, { timeout: limit }, async (t) => {
    if (!fs.existsSync(BINARY)) throw new Error("PAIRWAVE_BIN names no binary: run `tests/run browser`, or set it to one that was built");
    const scene = new Scene();
    try {
      await play(scene, t);
    } catch (error) {
      if (error instanceof NoWayIn) {
        return t.skip(`the page is opened by humans alone, and an agent host started this: ${error.message}`);
      }
      await scene.report(t);
      throw error;
    } finally {
      await scene.end();
    }
  });
}

class Scene {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pairwave-browser-"));
  people = [];
  browsers = [];
  /** What else is to be ended. @type {(() => unknown)[]} */
  endings = [];
  #hard = () => this.people.forEach((person) => person.stopHard());

  constructor() {
    process.once("exit", this.#hard);
  }

  async person(name) {
    const person = new Person(this.folder, name);
    this.people.push(person);
    await person.settle();
    return person;
  }

  /** Two people in one room, not verified. */
  async pair() {
    const alice = await this.person("alice");
    const bob = await this.person("bob");
    const { invite, room } = await alice.init();
    await bob.join(invite);
    return { alice, bob, room };
  }

  async browser(...args) {
    const browser = await launch(...args);
    this.browsers.push(browser);
    return browser;
  }

  /** A picture of each page, and the last words of each companion. */
  async report(t) {
    for (const person of this.people) t.diagnostic(`${person.name}: ${person.lastWords()}`);
    const pages = this.browsers.flatMap((browser) => browser.contexts().flatMap((context) => context.pages()));
    for (const page of pages) {
      const file = path.join(os.tmpdir(), `pairwave-browser-failed-${process.pid}-${(pictures += 1)}.png`);
      await page.screenshot({ path: file }).then(() => t.diagnostic(`${page.url()}: ${file}`), () => {});
    }
  }

  async end() {
    for (const ending of this.endings) await ending();
    for (const browser of this.browsers) await browser.close().catch(() => {});
    for (const person of this.people) await person.stop().catch(() => person.stopHard());
    process.removeListener("exit", this.#hard);
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
