/** Every command by name. */

import { openDialog } from "./dialog.js";
import { fill, h, uid } from "./dom.js";

/** @import { Command } from "./types.js" */

/** @param {Command[]} commands */
export function openPalette(commands) {
  if (document.querySelector("[data-testid=palette]")) return;
  const palette = new Palette(commands.filter((command) => command.id !== "palette"));
  palette.show();
}

class Palette {
  #at = 0;
  /** @type {Command[]} */
  #found = [];

  /** @param {Command[]} commands */
  constructor(commands) {
    this.commands = commands;
    const listId = uid("commands");
    this.input = h("input", {
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": listId, "aria-label": "Command", "aria-autocomplete": "list",
      placeholder: "What do you want to do?", autocomplete: "off", "data-testid": "palette-input",
      on: { input: () => this.show(), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) },
    });
    this.list = h("ul", { role: "listbox", id: listId, "aria-label": "Commands", class: "palette-list" });
    this.none = h("p", { class: "quiet-note", role: "status" });
    this.view = openDialog({ title: "Commands", testid: "palette", className: "palette" }, this.input, this.list, this.none);
    this.input.focus();
  }

  show() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#found = this.commands.filter(({ title, hint }) => words.every((word) => `${title} ${hint ?? ""}`.toLowerCase().includes(word)));
    this.#at = 0;
    fill(this.list, this.#found.map((command) => this.#option(command)));
    this.list.hidden = !this.#found.length;
    this.none.textContent = this.#found.length ? "" : "No command has such a name.";
    this.#mark();
  }

  /** @param {Command} command */
  #option(command) {
    return h("li", { role: "option", id: uid("command"), "aria-selected": "false", "data-testid": "palette-option", "data-command": command.id, on: { click: () => this.#run(command) } },
      h("span", null, command.title), command.hint && h("span", { class: "hint" }, command.hint),
      command.key && h("span", { class: "option-key", "aria-hidden": "true" }, command.key.split(" ").map((part) => h("kbd", null, part))));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#found.length) {
      event.preventDefault();
      this.#at = (this.#at + step + this.#found.length) % this.#found.length;
      this.#mark();
    }
    const command = this.#found[this.#at];
    if (event.key !== "Enter" || !command) return;
    event.preventDefault();
    this.#run(command);
  }

  #mark() {
    [...this.list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === this.#at));
      if (at !== this.#at) return;
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {Command} command */
  #run(command) {
    this.view.dialog.close();
    // The dialog gives the focus back first; the command may then move it.
    setTimeout(command.run);
  }
}
