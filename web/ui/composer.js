/** Where the human writes. */

import { button, field, fill, h } from "./dom.js";
import { keepDraft, loadDraft, newDraft, newKey } from "./drafts.js";
import { firstWords } from "./entry-parts.js";
import { findingView, SECRET_FOUND } from "./findings.js";
import { icon } from "./icons.js";
import { kindName, MESSAGE_KINDS, needsOf } from "./kinds.js";
import { toast, toastFailure } from "./toast.js";
import { Writing } from "./writing.js";

/** @import { Draft, Entry, Failure, Finding, Kind, Room } from "./types.js" */
/** @import { Store } from "./store.js" */
/** @import { Need } from "./kinds.js" */

/** From then on it is offered to go back to writing. */
const SLOW = 2_000;

export class Composer extends HTMLElement {
  #addressees = "";
  #slowTimer = 0;
  #isClosed = false;

  /**
   * @param {Store} store
   * @param {string} room
   * @param {{lookUp: (event: string) => Promise<Entry | null>, sent: () => void}} hooks
   * @param {AbortSignal} signal
   */
  constructor(store, room, hooks, signal) {
    super();
    this.store = store;
    this.roomId = room;
    this.hooks = hooks;
    /** @type {Draft} */
    this.draft = loadDraft(room);
    this.kind = h("select", { "aria-label": "Kind", "data-testid": "composer-kind", on: { change: () => this.#setKind(/** @type {Kind} */ (this.kind.value)) } },
      MESSAGE_KINDS.map((kind) => h("option", { value: kind }, kindName(kind))));
    this.to = h("select", { "aria-label": "To", "data-testid": "composer-to", on: { change: () => this.#edit({ to: this.to.value }) } });
    this.text = h("textarea", {
      rows: "1", "aria-label": "Message", placeholder: "Write to the room", "data-testid": "composer-text", maxlength: "100000",
      on: { input: () => this.#edit({ text: this.text.value }), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) },
    });
    this.context = h("div", { class: "composer-context" });
    this.more = h("div", { class: "composer-more" });
    this.pause = h("span", { class: "pause", role: "status", "data-testid": "agents-wait" });
    this.writing = new Writing(store, room, (isOn) => { this.pause.textContent = isOn && this.#hasAgents ? "Your agents wait while you write." : ""; });
    this.note = h("div", { class: "composer-note", "data-testid": "composer-note", role: "status" });
    this.sendButton = h("button", { class: "primary send", "data-testid": "composer-send", "aria-label": "Send" }, icon("send"));
    this.#build();
    const isThis = (/** @type {{room: string, key: string}} */ about) => about.room === room && about.key === this.draft.key;
    store.on("status", () => this.update(), signal);
    store.outbox.on("said", (said) => isThis(said) && this.#done(), signal);
    store.outbox.on("renewed", (about) => { if (isThis(about)) this.draft = { ...this.draft, key: about.renewed }; }, signal);
    store.outbox.on("changed", () => this.#showNote(), signal);
    store.outbox.on("refused", (refused) => {
      if (!isThis(refused)) return;
      refused.isHeard = true;
      this.#refused(refused.failure);
    }, signal);
    store.on("connection", () => this.#showNote(), signal);
  }

  /** @param {Entry} question */
  answer(question) {
    this.#edit({ kind: "answer", answers: question.event, to: "" });
    this.#show();
    this.text.focus();
  }

  focusText() {
    this.text.focus();
  }

  update() {
    const room = this.store.room(this.roomId);
    this.hidden = room !== undefined && room.state !== "member" && room.state !== "closed";
    if (!room) return;
    if (this.#isClosed !== (room.state === "closed")) this.#showNote();
    this.#isClosed = room.state === "closed";
    this.querySelector("form")?.setAttribute("aria-label", `Write to ${room.title}`);
    this.#offerAddressees(room);
  }

  get #hasAgents() {
    return this.store.room(this.roomId)?.members.some((member) => member.me && member.sessions.some((session) => session.origin === "agent"));
  }

  #build() {
    const form = h("form", {
      class: "composer", "data-testid": "composer", "aria-label": "Write",
      on: { submit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        this.#submit();
      },
      input: () => this.writing.typed([this.draft.text, ...Object.values(this.draft.more)].join("")),
      focusout: (/** @type {FocusEvent} */ event) => { if (!(event.relatedTarget instanceof Node && this.contains(event.relatedTarget))) this.writing.end(); } },
    }, this.context, this.more,
    h("div", { class: "composer-line" }, this.text, this.sendButton),
    h("div", { class: "composer-foot" },
      h("span", { class: "pick" }, h("span", { "aria-hidden": "true" }, "as"), this.kind),
      h("span", { class: "pick" }, h("span", { "aria-hidden": "true" }, "to"), this.to),
      h("span", { class: "hint keys" }, h("kbd", null, "Enter"), " sends, ", h("kbd", null, "Shift Enter"), " breaks the line")),
    this.note);
    this.append(form, this.pause);
    this.#show();
    this.update();
  }

  /** Draws everything from the draft. */
  #show() {
    const { draft } = this;
    this.kind.value = draft.kind;
    this.text.value = draft.text;
    fill(this.more, needsOf(draft.kind).map((need) => this.#need(need)));
    this.#showQuestion();
    this.#showNote();
    this.#grow();
  }

  #showQuestion() {
    fill(this.context);
    if (this.draft.kind !== "answer") return;
    if (!this.draft.answers) return fill(this.context, h("p", { class: "hint" }, "Choose the question with its Answer button."));
    const quote = h("q", { class: "quote" }, "…");
    const form = h("span", { class: "hint" });
    void this.hooks.lookUp(this.draft.answers).then((entry) => {
      if (!entry) return;
      quote.textContent = firstWords(entry.headline || entry.text, 120);
      const expected = entry.fields?.expected_format;
      if (expected) form.textContent = `expected: ${expected}`;
    });
    fill(this.context, h("p", { class: "linked", "data-testid": "composer-answers" }, "In answer to ", quote, form,
      button("", { class: "icon-button small", "aria-label": "Not an answer", on: { click: () => this.#setKind("chat") } }, icon("close"))));
  }

  /** @param {Need} need */
  #need(need) {
    const value = this.draft.more[need.name] ?? "";
    const props = {
      "data-testid": `composer-${need.name}`, required: !need.optional,
      on: { input: () => this.#edit({ more: { ...this.draft.more, [need.name]: control.value } }) },
    };
    /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */
    const control = need.as === "line" ? h("input", { ...props, maxlength: "500", autocomplete: "off" })
      : need.as === "choice" ? h("select", props, need.choices?.map((choice) => h("option", { value: choice }, choice)))
        : h("textarea", { ...props, rows: "2" });
    if (value || need.as !== "choice") control.value = value;
    return field(need.label, control, need.hint);
  }

  /** @param {Room} room */
  #offerAddressees(room) {
    const others = room.members.filter((member) => !member.me);
    const wanted = JSON.stringify(others.map((member) => [member.member, member.name, member.sessions.map(({ session, name }) => [session, name])]));
    if (wanted === this.#addressees) return;
    this.#addressees = wanted;
    fill(this.to, h("option", { value: "" }, "everybody"), others.flatMap((member) => [
      h("option", { value: member.member }, member.name),
      ...member.sessions.map((session) => h("option", { value: session.session }, `${member.name}’s ${session.name}`)),
    ]));
    this.to.value = this.draft.to;
    if (this.to.selectedIndex >= 0) return;
    this.to.value = "";
    if (!this.draft.sending) this.#edit({ to: "" });
  }

  /** @param {Kind} kind */
  #setKind(kind) {
    this.#edit({ kind, answers: kind === "answer" ? this.draft.answers : "" });
    this.#show();
  }

  /**
   * Changed words are another message: they must not go out under a key that may have been used.
   * @param {Partial<Draft>} change
   */
  #edit(change) {
    const renewed = this.draft.tried ? { key: newKey(), tried: false } : {};
    this.draft = { ...this.draft, ...change, ...renewed };
    keepDraft(this.roomId, this.draft);
    this.#grow();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.querySelector("form")?.requestSubmit();
  }

  #submit() {
    const { draft } = this;
    if (draft.sending || (!draft.text.trim() && draft.kind !== "review" && draft.kind !== "handoff")) return;
    if (draft.kind === "answer" && !draft.answers) return toast("Choose the question first, with its Answer button.");
    this.draft = this.store.outbox.put(this.roomId, draft);
    this.#showNote();
  }

  #done() {
    const hadFocus = this.contains(document.activeElement);
    this.writing.end();
    this.draft = newDraft();
    this.to.value = "";
    this.#show();
    if (hadFocus) this.text.focus();
    this.hooks.sent();
  }

  /** @param {Failure} failure */
  #refused(failure) {
    this.draft = { ...this.draft, sending: false };
    this.#showNote();
    fill(this.note, h("p", { class: "refusal", role: "alert", "data-testid": "composer-refusal" }, h("b", null, failure.message), " ", failure.next));
    if (failure.rule === SECRET_FOUND) void this.#showFinding(failure, this.draft.key);
  }

  /**
   * @param {Failure} failure
   * @param {string} key of the words that were refused
   */
  async #showFinding(failure, key) {
    const finding = await this.store.findings.of(this.roomId, failure);
    if (!finding || this.draft.key !== key || this.draft.sending) return;
    fill(this.note, h("div", { class: "held-back", role: "alert", "data-testid": "composer-secret" },
      h("p", null, h("b", null, "Not sent. ")), findingView(finding),
      h("div", { class: "actions" },
        button("Edit", { "data-testid": "secret-edit", on: { click: () => this.#editAgain() } }),
        button("Let this one pass, and send", { class: "danger", "data-testid": "secret-pass", on: { click: () => void this.#letPass(finding) } }),
        h("span", { class: "hint" }, "Everybody in the room would read it, and keep it."))));
  }

  #editAgain() {
    fill(this.note);
    this.text.focus();
  }

  /** @param {Finding} finding */
  async #letPass(finding) {
    try {
      await this.store.findings.letPass(this.roomId, finding);
      this.#submit();
    } catch (error) {
      toastFailure(error);
    }
  }

  #showNote() {
    const { sending } = this.draft;
    for (const control of this.querySelectorAll("textarea, select, input")) control.toggleAttribute("disabled", sending);
    this.sendButton.toggleAttribute("disabled", sending);
    clearTimeout(this.#slowTimer);
    if (!sending) return fill(this.note);
    const isHere = this.store.connection === "live" && this.store.room(this.roomId)?.state !== "closed";
    fill(this.note, h("p", { "data-testid": "composer-waiting" }, isHere ? "Sending … " : `${this.#whyNot()} This is sent, once, as soon as it is back. `));
    if (!isHere || this.store.outbox.isStuck(this.roomId)) this.#offerWriting();
    else this.#slowTimer = window.setTimeout(() => this.#offerWriting(), SLOW);
  }

  #whyNot() {
    return this.store.connection === "live" ? "This room is being read again." : "Your companion is away.";
  }

  #offerWriting() {
    this.note.querySelector("p")?.append(button("Keep writing", { class: "link", "data-testid": "keep-writing", on: { click: () => this.#keepWriting() } }));
  }

  #keepWriting() {
    this.store.outbox.takeBack(this.roomId);
    this.draft = { ...this.draft, sending: false };
    keepDraft(this.roomId, this.draft);
    this.#showNote();
    this.text.focus();
  }

  #grow() {
    this.text.style.height = "auto";
    const height = this.text.scrollHeight;
    if (height) this.text.style.height = `${Math.min(height, window.innerHeight / 3)}px`;
  }
}

customElements.define("pw-composer", Composer);
