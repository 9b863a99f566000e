/** Where the human writes. */

import { asRefused } from "./api.js";
import { button, field, fill, h } from "./dom.js";
import { dropDraft, keepDraft, loadDraft, newDraft, newKey } from "./drafts.js";
import { firstWords } from "./entry-parts.js";
import { icon } from "./icons.js";
import { extrasOf, kindName, MESSAGE_KINDS, needsOf } from "./kinds.js";
import { toast } from "./toast.js";

/** @import { Draft, Entry, Failure, Kind, Room } from "./types.js" */
/** @import { Store } from "./store.js" */
/** @import { Need } from "./kinds.js" */

export class Composer extends HTMLElement {
  #addressees = "";
  #isBusy = false;

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
    this.note = h("div", { class: "composer-note", "data-testid": "composer-note", role: "status" });
    this.sendButton = h("button", { class: "primary send", "data-testid": "composer-send", "aria-label": "Send" }, icon("send"));
    this.#build();
    if (this.draft.sending && store.connection === "live") void this.#send();
    store.on("status", () => this.update(), signal);
    store.on("ready", () => this.draft.sending && void this.#send(), signal);
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
    this.hidden = room !== undefined && room.state !== "member";
    if (!room) return;
    this.querySelector("form")?.setAttribute("aria-label", `Write to ${room.title}`);
    this.#offerAddressees(room);
  }

  #build() {
    const form = h("form", {
      class: "composer", "data-testid": "composer", "aria-label": "Write",
      on: { submit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        void this.#submit();
      } },
    }, this.context, this.more,
    h("div", { class: "composer-line" }, this.text, this.sendButton),
    h("div", { class: "composer-foot" },
      h("span", { class: "pick" }, h("span", { "aria-hidden": "true" }, "as"), this.kind),
      h("span", { class: "pick" }, h("span", { "aria-hidden": "true" }, "to"), this.to),
      h("span", { class: "hint keys" }, h("kbd", null, "Enter"), " sends, ", h("kbd", null, "Shift Enter"), " breaks the line")),
    this.note);
    this.append(form);
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

  async #submit() {
    const { draft } = this;
    if (draft.sending || (!draft.text.trim() && draft.kind !== "review" && draft.kind !== "handoff")) return;
    if (draft.kind === "answer" && !draft.answers) return toast("Choose the question first, with its Answer button.");
    this.draft = { ...draft, sending: true };
    keepDraft(this.roomId, this.draft);
    this.#showNote();
    await this.#send();
  }

  async #send() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.draft = { ...this.draft, tried: true };
    keepDraft(this.roomId, this.draft);
    const { key } = this.draft;
    try {
      await this.store.api.ask("send", questionOf(this.roomId, this.draft));
      if (this.draft.key === key) this.#done();
    } catch (error) {
      const refused = asRefused(error);
      if (!refused.isAway && refused.status !== 401) this.#refused(refused.failure);
      else this.#showNote();
    } finally {
      this.#isBusy = false;
    }
  }

  #done() {
    const hadFocus = this.contains(document.activeElement);
    this.draft = newDraft();
    dropDraft(this.roomId);
    this.to.value = "";
    this.#show();
    if (hadFocus) this.text.focus();
    this.hooks.sent();
  }

  /** @param {Failure} failure */
  #refused(failure) {
    this.draft = { ...this.draft, sending: false };
    keepDraft(this.roomId, this.draft);
    this.#showNote();
    fill(this.note, h("p", { class: "refusal", role: "alert", "data-testid": "composer-refusal" }, h("b", null, failure.message), " ", failure.next));
  }

  #showNote() {
    const { sending } = this.draft;
    for (const control of this.querySelectorAll("textarea, select, input")) control.toggleAttribute("disabled", sending);
    this.sendButton.toggleAttribute("disabled", sending);
    if (!sending) return fill(this.note);
    const isAway = this.store.connection !== "live";
    fill(this.note, h("p", { "data-testid": "composer-waiting" },
      isAway ? "Your companion is away. This is sent, once, as soon as it is back. " : "Sending … ",
      isAway && button("Keep writing", { class: "link", on: { click: () => this.#keepWriting() } })));
  }

  #keepWriting() {
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

/**
 * @param {string} room
 * @param {Draft} draft
 */
function questionOf(room, draft) {
  return {
    room, kind: draft.kind, text: draft.text.trim(), to: draft.to || undefined,
    answers: draft.answers || undefined, ...extrasOf(draft.kind, draft.more), key: draft.key,
  };
}

customElements.define("pw-composer", Composer);
