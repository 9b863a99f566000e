/**
 * Typed events between the parts of the page.
 * @template {Record<string, any>} Events
 */
export class Emitter {
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {(detail: Events[Type]) => void} listener
   * @param {AbortSignal} [signal] ends the subscription
   */
  on(type, listener, signal) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener);
    signal?.addEventListener("abort", () => listeners.delete(listener));
  }

  /**
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {Events[Type]} detail
   */
  emit(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        // One part that fails must not keep the others from hearing it.
        reportError(error);
      }
    }
  }
}
