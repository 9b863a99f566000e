/** What can be done by key or by name, in one list for the palette, the keyboard and the help. */

/** @import { App } from "./app.js" */
/** @import { Command } from "./types.js" */

/**
 * @param {App} app
 * @param {{palette: () => void, help: () => void, notify: () => void}} hooks
 * @returns {Command[]}
 */
export function commandsOf(app, hooks) {
  return [
    ...roomCommands(app),
    ...readingCommands(app),
    { id: "palette", title: "All commands", key: "Ctrl K", run: hooks.palette },
    { id: "help", title: "Show all keys", key: "?", run: hooks.help },
    { id: "notify", title: "Notify me when this tab is in the background", run: hooks.notify },
    { id: "next-room", title: "Next room", key: "]", run: () => app.cycle(1) },
    { id: "previous-room", title: "Previous room", key: "[", run: () => app.cycle(-1) },
    { id: "close-column", title: "Close this column", run: () => app.active && app.close(app.active) },
    ...switchCommands(app),
  ];
}

/**
 * @param {App} app
 * @returns {Command[]}
 */
function readingCommands(app) {
  const transcript = () => app.active?.transcript;
  return [
    { id: "next", title: "Next entry", key: "j", run: () => transcript()?.step(1) },
    { id: "previous", title: "Previous entry", key: "k", run: () => transcript()?.step(-1) },
    { id: "unread", title: "Jump to the first unread message", key: "u", run: () => transcript()?.toFirstUnread() },
    { id: "newest", title: "Jump to the newest message", key: "n", run: () => void transcript()?.toNewest() },
    { id: "details", title: "Details of the entry", key: "d", run: () => onEntry(app, (entry) => app.active?.inspect(entry)) },
    { id: "answer", title: "Answer the question", key: "a", run: () => onEntry(app, (entry) => entry.kind === "question" && app.active?.composer.answer(entry)) },
  ];
}

/**
 * @param {App} app
 * @returns {Command[]}
 */
function roomCommands(app) {
  return [
    { id: "write", title: "Write a message", key: "c", run: () => app.active?.composer.focusText() },
    { id: "search", title: "Search and filter this room", key: "/", run: () => app.active?.openSearch() },
    { id: "people", title: "People", key: "p", run: () => app.active?.toggleSide("people") },
    { id: "ledger", title: "Ledger: where this room stands", key: "l", run: () => app.active?.openSide("ledger") },
    { id: "brain", title: "Brain: what this room remembers", key: "b", run: () => app.active?.openSide("brain") },
    { id: "days", title: "Days of this room", key: "t", run: () => app.active?.openSide("days") },
    { id: "git", title: "Git: who works on which paths", key: "g", run: () => app.active?.openSide("git") },
    { id: "handoff", title: "Handoff: go on where the room was left", key: "h", run: () => app.active?.openHandoff() },
    { id: "report", title: "Report on this room", run: () => app.active?.openReport() },
    { id: "export", title: "Export the transcript", run: () => app.active?.openExport() },
    { id: "invite", title: "Invite somebody", key: "i", run: () => app.active?.openInvites() },
    { id: "charter", title: "Charter of this room", run: () => app.active?.openCharter() },
    { id: "floor", title: "Floor of this room", run: () => app.active?.openFloor() },
    { id: "quarantine", title: "Quarantine: code and patches that were shared", run: () => app.active?.openQuarantine() },
    { id: "requests", title: "Requests that wait for a yes or no", run: () => app.active && app.desk.open(app.active.roomId) },
    { id: "relays", title: "Relays of this room", run: () => app.active?.openRelays() },
    { id: "verify", title: "Compare words", key: "v", run: () => app.active?.verifySomebody() },
    { id: "rename", title: "Rename yourself", run: () => app.active?.renameMe() },
    { id: "diagnose", title: "Diagnose the connection", run: () => app.active?.diagnose() },
    { id: "leave", title: "Leave this room", run: () => app.active?.leave() },
  ];
}

/**
 * @param {App} app
 * @returns {Command[]}
 */
function switchCommands(app) {
  return (app.store.status?.rooms ?? []).flatMap((room) => [
    { id: `open-${room.room}`, title: `Go to ${room.title}`, hint: room.folder, run: () => app.open(room.room) },
    { id: `beside-${room.room}`, title: `Show ${room.title} beside`, hint: room.folder, run: () => app.openBeside(room.room) },
  ]);
}

/**
 * @param {App} app
 * @param {(entry: import("./types.js").Entry) => void} act
 */
function onEntry(app, act) {
  const entry = app.active?.transcript.focused;
  if (entry) act(entry);
}
