/** Keeps a press from counting that was not meant for what stands there now. */

/** As long as it takes to see that something appeared, and to hold a finger back. */
const PAUSE = 500;

export class PressGuard {
  #armedAt = Infinity;
  #timer = 0;
  /** What the press was that a click comes from. @type {"none" | "meant" | "stale"} */
  #press = "none";

  /**
   * @param {HTMLButtonElement} control
   * @param {AbortSignal} signal
   */
  constructor(control, signal) {
    this.control = control;
    control.addEventListener("pointerdown", () => this.#pressed(false), { signal });
    control.addEventListener("keydown", (event) => this.#key(event), { signal });
    const again = () => this.arm();
    // What lay over it until now, of this page or of another window, took the presses until then.
    for (const type of ["focus", "resize"]) window.addEventListener(type, again, { signal });
    document.addEventListener("visibilitychange", again, { signal });
    document.addEventListener("close", again, { signal, capture: true });
    this.arm();
  }

  /** What is shown is new: whatever is pressed right now was not meant for it. */
  arm() {
    this.#armedAt = performance.now() + PAUSE;
    if (this.#press === "meant") this.#press = "stale";
    this.control.classList.add("is-arming");
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.control.classList.remove("is-arming"), PAUSE);
  }

  /**
   * Whether a click counts. One without a press before it comes from a tool that reads the page aloud.
   * @param {Event} click
   */
  accepts(click) {
    const press = this.#press;
    this.#press = "none";
    return click.isTrusted && this.#isArmed && press !== "stale";
  }

  get #isArmed() {
    return performance.now() >= this.#armedAt;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" && event.key !== " ") return;
    this.#pressed(event.repeat);
    // A key that is held down since before this button had the focus.
    if (this.#press === "stale") event.preventDefault();
  }

  /** @param {boolean} isHeld */
  #pressed(isHeld) {
    this.#press = this.#isArmed && !isHeld ? "meant" : "stale";
  }
}
