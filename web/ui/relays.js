/** The relays of a room: how the companion stands with each, naming one, and taking it back. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, fill, h } from "./dom.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Relay } from "./types.js" */
/** @import { Store } from "./store.js" */

/**
 * @param {Store} store
 * @param {string} room
 */
export function openRelays(store, room) {
  const { show } = openDialog({ title: "Relays of this room", testid: "relays-dialog", className: "invites" });
  const list = h("div", { class: "invite-list", "data-testid": "relay-list" });
  const draw = (/** @type {Relay[]} */ relays) => fill(list, relays.length === 0 && h("p", { class: "hint" }, "None yet."),
    h("ul", null, relays.map((relay) => relayRow(store, room, relay, draw))));
  show(relayForm(store, room, draw), list);
  store.api.ask("relays", { room }).then(({ relays }) => draw(relays), toastFailure);
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {(relays: Relay[]) => void} done
 */
function relayForm(store, room, done) {
  const address = h("input", { required: true, autocomplete: "off", spellcheck: "false", placeholder: "/ip4/…/p2p/…", "data-testid": "relay-address" });
  const add = h("button", { class: "primary", "data-testid": "relay-add" }, "Add");
  const problem = h("p", { class: "refusal", role: "alert" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    add.disabled = true;
    problem.textContent = "";
    try {
      done((await store.api.ask("add_relay", { room, relay: address.value.trim() })).relays);
      address.value = "";
      store.refresh();
    } catch (error) {
      const { failure } = asRefused(error);
      problem.textContent = `${failure.message} ${failure.next}`;
    }
    add.disabled = false;
  };
  return h("form", { class: "invite-form", on: { submit } },
    h("p", null, "A relay helps where neither machine can reach the other. It passes on what it cannot read. All members use it, and new invites name it."),
    h("div", { class: "inline-fields" }, field("Address, as the relay printed it", address), add), problem);
}

/**
 * @param {Store} store
 * @param {string} room
 * @param {Relay} relay
 * @param {(relays: Relay[]) => void} draw
 */
function relayRow(store, room, relay, draw) {
  const remove = async () => {
    try {
      draw((await store.api.ask("remove_relay", { room, relay: relay.address })).relays);
      toast("Removed. Nobody in this room uses it any more.");
      store.refresh();
    } catch (error) {
      toastFailure(error);
    }
  };
  return h("li", { "data-testid": "relay", "data-state": relay.reserved ? "open" : "" },
    h("span", { class: "invite-state" }, relay.reserved ? "reserved" : relay.connected ? "connected" : "not in use"),
    h("span", null, h("code", { class: "address" }, relay.address), !relay.reserved && relay.why && h("span", { class: "hint" }, ` ${relay.why}`),
      relay.token_refused && h("span", { class: "hint", "data-testid": "token-refused" }, ` Its token does not count there: ${relay.token_refused}. Add the address again with another one.`)),
    button("Remove", { class: "quiet", "data-testid": "relay-remove", "aria-label": `Remove ${relay.address}`, on: { click: remove } }));
}
