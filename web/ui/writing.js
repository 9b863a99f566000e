/** Tells the companion that a human writes, so that the agents of that human wait meanwhile. */

/** @import { Store } from "./store.js" */

/** The companion forgets it after a minute. */
const AGAIN = 20_000;

export class Writing {
  #isOn = false;
  #saidAt = -Infinity;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {(isOn: boolean) => void} changed
   */
  constructor(store, room, changed) {
    this.store = store;
    this.room = room;
    this.changed = changed;
  }

  /** @param {string} text what stands there after a key */
  typed(text) {
    if (!text.trim()) return this.end();
    const now = performance.now();
    if (this.#isOn && now - this.#saidAt < AGAIN) return;
    this.#saidAt = now;
    this.#say(true);
  }

  end() {
    if (this.#isOn) this.#say(false);
  }

  /** @param {boolean} on */
  #say(on) {
    const isChange = this.#isOn !== on;
    this.#isOn = on;
    if (isChange) this.changed(on);
    // Whoever does not hear it lets the agents go on, and the next key says it again.
    this.store.api.ask("writing", { room: this.room, on }).catch(() => { if (on) this.#saidAt = -Infinity; });
  }
}
