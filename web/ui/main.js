/** Starts the page: takes the code from the address, opens the store, puts the parts together. */

import { Api, asRefused } from "./api.js";
import { App } from "./app.js";
import { commandsOf } from "./commands.js";
import { listenToKeys, openKeys } from "./keys.js";
import { Notifier } from "./notify.js";
import { openPalette } from "./palette.js";
import { Store } from "./store.js";
import { toastFailure } from "./toast.js";

const api = new Api();
const store = new Store(api);
const notifier = new Notifier(store, (room, event) => {
  app.open(room);
  if (event) void app.active?.transcript.goTo(event);
});
const hooks = {
  palette: () => openPalette(commands()),
  help: () => openKeys(commands()),
  notify: () => void notifier.request(),
  notifyLabel: () => notifier.label,
};
const app = new App(store, hooks);
const commands = () => commandsOf(app, hooks);

document.querySelector("noscript")?.remove();
document.body.prepend(app);
listenToKeys(app, commands);
window.addEventListener("hashchange", () => void begin());
document.addEventListener("visibilitychange", () => {
  // A machine that wakes up should not sit out the back-off.
  if (document.visibilityState === "visible" && store.connection === "away") store.stream.retry();
});
void begin();

async function begin() {
  const code = takeCode();
  if (code) await logIn(code);
  store.start();
}

/** The code must not stay in the address, the history, or a screenshot. */
function takeCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

/** @param {string} code */
async function logIn(code) {
  try {
    await api.login(code);
  } catch (error) {
    // A tab that is already open goes on with the token it has.
    if (!api.token || !asRefused(error).isAway) toastFailure(error);
  }
}
