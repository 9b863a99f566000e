/** Tells the companion that a human writes, so that the agents of that human wait meanwhile. */

/** @import { Store } from "./store.js" */

/** While somebody goes on writing it is said again so often. */
const AGAIN = 20_000;
/** The companion forgets it by then. */
const FORGOTTEN = 60_000;
const RETRY = 1_000;

export class Writing {
  #isOn = false;
  /** What the companion was told last, and when. */
  #isTold = false;
  #toldAt = -Infinity;
  #isTelling = false;

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
    this.#set(text.trim() !== "");
  }

  end() {
    this.#set(false);
  }

  /** @param {boolean} isOn */
  #set(isOn) {
    const isChange = this.#isOn !== isOn;
    this.#isOn = isOn;
    if (isChange) this.changed(isOn);
    void this.#tell();
  }

  /** One word at a time, in the order in which things happened, until the companion knows how it is now. */
  async #tell() {
    if (this.#isTelling || this.#isKnown) return;
    this.#isTelling = true;
    const isOn = this.#isOn;
    try {
      await this.store.api.ask("writing", { room: this.room, on: isOn });
      this.#isTold = isOn;
      this.#toldAt = performance.now();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    } finally {
      this.#isTelling = false;
    }
    void this.#tell();
  }

  get #isKnown() {
    const since = performance.now() - this.#toldAt;
    if (this.#isOn) return this.#isTold && since < AGAIN;
    return !this.#isTold || since > FORGOTTEN;
  }
}
