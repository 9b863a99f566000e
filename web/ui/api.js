/** Asking the companion. The token lives in sessionStorage and nowhere else. */

import { challenge } from "./proof.js";

/** @import { Failure } from "./types.js" */

const TOKEN = "pairwave.token";
/** Comparing words may take the companion 20 s. */
const PATIENCE = 30_000;
const AWAY = "Your companion does not answer.";
const AWAY_NEXT = "If it was stopped, start it with `pairwave up`. This page goes on by itself.";

/** A question that was not answered, with sentences to show. */
export class Refused extends Error {
  /**
   * @param {number} status HTTP status, 0 when nobody answered
   * @param {Failure} failure
   */
  constructor(status, failure) {
    super(failure.message);
    this.status = status;
    this.failure = { ...failure, message: sentence(failure.message), next: sentence(failure.next) };
  }

  /** Whether asking the same again later makes sense. */
  get isAway() {
    return this.status === 0 || this.failure.code === "companion_unreachable";
  }
}

export class Api {
  /** @type {() => void} */
  onLocked = () => {};
  /** Whether the companion has proved itself and is there: only then is the token shown with a question. */
  isOpen = false;

  /** @returns {string | null} */
  get token() {
    return sessionStorage.getItem(TOKEN);
  }

  drop() {
    sessionStorage.removeItem(TOKEN);
  }

  /** @param {string} code the one-time code of `pairwave dashboard` */
  async login(code) {
    const { token } = await post("/api/login", { code }, null);
    sessionStorage.setItem(TOKEN, token);
  }

  /**
   * Lets whoever answers on this port prove that it is the companion that gave the token.
   * @param {AbortSignal} signal
   * @returns {Promise<"proved" | "locked" | "away">}
   */
  async prove(signal) {
    const asked = challenge(this.token ?? "");
    if (!asked) return "locked";
    try {
      const { proof } = await post("/api/proof", { id: asked.id, nonce: asked.nonce }, null, signal);
      return await asked.isProof(proof) ? "proved" : "away";
    } catch (error) {
      return asRefused(error).status === 403 ? "locked" : "away";
    }
  }

  /**
   * The transcript as a file; any other program must not get at it by opening an address.
   * @param {string} room
   * @param {string} format
   * @param {AbortSignal} signal
   * @returns {Promise<Blob>}
   */
  async exported(room, format, signal) {
    if (!this.isOpen) throw new Refused(0, unreachable());
    try {
      return await (await posted("/api/export", { room, format }, this.token, signal)).blob();
    } catch (error) {
      throw this.#heard(error);
    }
  }

  /**
   * @param {string} ask
   * @param {Record<string, unknown>} [question]
   * @returns {Promise<any>} the answer; its shape belongs to the question
   */
  async ask(ask, question = {}) {
    if (!this.isOpen) throw new Refused(0, unreachable());
    try {
      return await post("/api/ask", { ask, ...question }, this.token);
    } catch (error) {
      throw this.#heard(error);
    }
  }

  /** @param {unknown} error */
  #heard(error) {
    const refused = asRefused(error);
    if (refused.status === 401) this.onLocked();
    return refused;
  }
}

/**
 * The next step stands right behind the message.
 * @param {string} text
 */
function sentence(text) {
  return !text || /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** @param {unknown} error */
export function asRefused(error) {
  return error instanceof Refused ? error : new Refused(0, unreachable());
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string | null} token
 * @param {AbortSignal} [signal]
 */
async function post(path, body, token, signal = AbortSignal.timeout(PATIENCE)) {
  return (await posted(path, body, token, signal)).json();
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string | null} token
 * @param {AbortSignal} signal
 */
async function posted(path, body, token, signal) {
  const headers = new Headers({ "content-type": "application/json" });
  if (token) headers.set("authorization", `Bearer ${token}`);
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), cache: "no-store", signal });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Refused(response.status, answer.error ?? unexplained(response.status));
}

/** @returns {Failure} */
function unreachable() {
  return { code: "companion_unreachable", rule: "", message: AWAY, next: AWAY_NEXT };
}

/**
 * @param {number} status
 * @returns {Failure}
 */
function unexplained(status) {
  if (status === 502 || status === 503) return unreachable();
  return { code: "failed", rule: "", message: `The companion answered with status ${status}.`, next: "Look at its log: `pairwave doctor` says where it is." };
}
