/** Gate 1: what somebody asks to have done here, exactly, and a yes or no that cannot happen by accident. */

import { RISKS, afterApproval, whatItDoes } from "./action-words.js";
import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h, uid } from "./dom.js";
import { icon } from "./icons.js";
import { dangerList, payloadView } from "./payload-view.js";
import { PressGuard } from "./press-guard.js";
import { revealed } from "./reveal.js";
import { ago, fullTime } from "./time.js";

/** @import { ActionDetail, ActionRequest } from "./types.js" */
/** @import { Store } from "./store.js" */

export class RequestDialog {
  /** Whether all of the payload is on the page. */
  #isWhole = false;
  isAnswering = false;
  #drawn = "";

  /**
   * @param {Store} store
   * @param {string} room
   * @param {ActionDetail} detail
   * @param {{others: () => number, closed: () => void}} hooks `others`: how many more wait
   */
  constructor(store, room, detail, hooks) {
    this.store = store;
    this.room = room;
    this.detail = detail;
    this.hooks = hooks;
    const { request } = detail;
    this.view = openDialog({
      title: [h("bdi", null, request.from), ` asks you to ${whatItDoes(request)}`], testid: "request-dialog", className: "request", isSticky: true,
    });
    this.view.dialog.dataset.request = request.id;
    this.view.signal.addEventListener("abort", hooks.closed);
    // It scrolls, and must do so by keyboard too.
    for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "What is asked"]]) this.view.body.setAttribute(name, value);
    this.approve = button("Approve once", { class: "approve", "data-testid": "approve", on: { click: (/** @type {Event} */ event) => this.#approve(event) } }, icon("check"));
    this.guard = new PressGuard(this.approve, this.view.signal);
    this.problem = h("p", { class: "refusal", role: "alert", "data-testid": "request-refusal" });
    this.queue = h("span", { class: "hint queue", "data-testid": "queue" });
    this.foot = h("footer", { class: "request-foot" });
    this.view.dialog.append(this.foot);
    this.#draw();
  }

  get request() {
    return this.detail.request;
  }

  /**
   * What is known of it now; another view of it is drawn anew, and must be looked at anew.
   * @param {ActionDetail} detail
   */
  update(detail) {
    if (JSON.stringify(detail) === this.#drawn) return;
    this.detail = detail;
    this.#draw();
    fill(this.problem, "What is shown here has changed just now. Look at it again.");
  }

  showQueue() {
    const others = this.hooks.others();
    this.queue.textContent = others ? `${others} more ${others === 1 ? "waits" : "wait"}` : "";
  }

  close() {
    this.view.dialog.close();
  }

  #draw() {
    const { request } = this;
    this.#drawn = JSON.stringify(this.detail);
    this.view.dialog.dataset.risk = request.risk;
    fill(this.problem);
    this.view.show(dangerList(request.warnings), this.#who(), this.#summary(), this.#facts(),
      payloadView(this.detail, (isWhole) => { this.#isWhole = isWhole; }), this.#gates());
    this.view.body.scrollTop = 0;
    this.#showAnswers();
    this.guard.arm();
  }

  #who() {
    const { request } = this;
    const room = this.store.room(this.room);
    const member = room?.members.find((known) => known.member === request.by);
    const session = member?.sessions.find((known) => known.name === request.from_session);
    const isVerified = member?.verified ?? false;
    return h("p", { class: "request-who" },
      h("span", { class: "face", "aria-hidden": "true", vars: session ? { "--session": session.color } : {} }, session?.emoji ?? request.from.slice(0, 1)),
      h("span", null, h("bdi", { class: "name" }, request.from), " ", h("bdi", { class: "session" }, request.from_session),
        h("span", { class: "hint" }, session ? `, ${session.origin === "agent" ? "an agent" : "a human"}` : "", ", in ", h("bdi", null, room?.title ?? "a room"))),
      h("span", { class: `badge ${isVerified ? "is-verified" : "is-unverified"}`, "data-testid": "request-verified" }, icon(isVerified ? "verified" : "shield"), isVerified ? "verified" : "not verified"));
  }

  #summary() {
    return h("p", { class: "request-summary", "data-testid": "request-summary" }, h("q", null, revealed(this.request.summary)));
  }

  #facts() {
    const { risk, claimed_risk: claimed, target_path: path, paths, expires_at: expires, from } = this.request;
    const others = paths.filter((other) => other !== path);
    return h("dl", { class: "request-facts" },
      fact("Risk", h("span", { class: `risk is-${risk}`, "data-testid": "risk" }, RISKS[risk]),
        h("span", { class: "hint", "data-testid": "claimed-risk" }, "as your companion judges it. ", claimed === risk ? "So does " : [h("bdi", null, from), ` says ${claimed}`], claimed === risk && h("bdi", null, from), ".")),
      path && fact("File", h("code", { class: "exact", "data-testid": "target-path" }, revealed(path, { letters: true }))),
      others.length > 0 && fact(others.length === 1 ? "Touches" : `Touches ${others.length} paths`, h("ul", { class: "paths", "data-testid": "paths" }, others.map((one) => h("li", null, h("code", { class: "exact" }, revealed(one, { letters: true })))))),
      fact("Waits", h("time", { datetime: expires, title: fullTime(expires) }, `until it is given up ${ago(expires)}`)));
  }

  #gates() {
    const folder = this.store.room(this.room)?.folder ?? "";
    return h("section", { class: "gates", "data-testid": "gates" }, h("h3", null, "If you approve"),
      h("p", null, afterApproval(this.request, folder)),
      h("ol", null,
        h("li", { class: "is-here" }, h("b", null, "Gate 1: you"), h("span", null, "now, here")),
        h("li", null, h("b", null, "Gate 2: your agent’s host"), h("span", null, "asks again before it acts"))));
  }

  #showAnswers() {
    const { request, approve, problem } = this;
    const isHigh = request.risk === "high";
    this.read = isHigh ? h("input", { type: "checkbox", class: "must-read", "data-testid": "have-read" }) : null;
    this.always = !isHigh && request.may_be_always ? h("input", { type: "checkbox", "data-testid": "always-allow" }) : null;
    fill(this.foot,
      this.read && tick(this.read, "I have read all of it, and want it done on my machine."),
      this.always && tick(this.always, ["Always allow ", h("bdi", null, request.from_session), ` to ${whatItDoes(request)} in this room, unless its risk is high.`]),
      problem,
      h("div", { class: "actions" }, approve,
        button("Deny …", { class: "danger", "data-testid": "deny", on: { click: () => this.#askWhy() } }),
        button("Decide later", { class: "quiet", "data-testid": "later", on: { click: () => this.close() } }),
        this.queue));
    this.showQueue();
  }

  #askWhy() {
    const reason = h("input", { maxlength: "1000", autocomplete: "off", "data-testid": "deny-reason" });
    fill(this.problem);
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#answer({ decision: "deny", reason: reason.value.trim() });
    };
    const back = () => {
      this.#showAnswers();
      this.guard.arm();
      /** @type {HTMLElement | null} */ (this.foot.querySelector("[data-testid=deny]"))?.focus();
    };
    fill(this.foot, h("form", { on: { submit } },
      field("Why not", reason, `${this.request.from} and the agent are told. The same is not asked again word by word.`), this.problem,
      h("div", { class: "actions" }, h("button", { class: "danger", "data-testid": "deny-confirm" }, "Deny"), button("Back", { class: "quiet", on: { click: back } }))));
    reason.focus();
  }

  /** @param {Event} event */
  #approve(event) {
    if (!this.guard.accepts(event)) return;
    if (!this.#isWhole) return fill(this.problem, this.detail.missing ?? "First look at all of it: there are more lines to show.");
    if (this.read && !this.read.checked) {
      fill(this.problem, "Its risk is high: tick that you have read it.");
      return this.read.focus();
    }
    void this.#answer({ decision: "approve", always: this.always?.checked });
  }

  /** @param {{decision: "approve" | "deny", reason?: string, always?: boolean}} answer */
  async #answer(answer) {
    if (this.isAnswering) return;
    this.isAnswering = true;
    fill(this.problem);
    try {
      await this.store.requests.respond(this.room, this.request, answer);
      this.close();
    } catch (error) {
      const { failure } = asRefused(error);
      fill(this.problem, h("b", null, failure.message), " ", failure.next);
      this.guard.arm();
    } finally {
      this.isAnswering = false;
    }
  }
}

/**
 * @param {string} name
 * @param {...import("./dom.js").Child} value
 */
function fact(name, ...value) {
  return h("div", null, h("dt", null, name), h("dd", null, ...value));
}

/**
 * @param {HTMLInputElement} box
 * @param {import("./dom.js").Child | import("./dom.js").Child[]} words
 */
function tick(box, words) {
  box.id = uid("tick");
  return h("p", { class: "tick" }, box, h("label", { for: box.id }, words));
}
