// One person: a home, a project folder, a companion of their own. All people of a test meet on this
// machine's loopback alone.

import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { until } from "./patience.js";

export const BINARY = process.env.PAIRWAVE_BIN ?? "";

/** What agent hosts set for what their agents start; a person's terminal has none of it. */
const MARKERS = [
  "AI_AGENT", "AMP_CURRENT_THREAD_ID", "AUGMENT_AGENT", "CLAUDECODE", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PROJECT_DIR",
  "CLINE_ACTIVE", "CODEX_CI", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_THREAD_ID",
  "COPILOT_AGENT_SESSION_ID", "CURSOR_AGENT", "GEMINI_CLI", "GOOSE_TERMINAL", "OPENCODE", "QWEN_CODE",
];

/** A command that ended with a failure. */
export class Refusal extends Error {
  constructor(failure) {
    super(`${failure.message} ${failure.next ?? ""}`);
    this.rule = failure.rule;
  }
}

/** An agent host started these tests, and the door of the page is not for agents. */
export class NoWayIn extends Error {}

export class Person {
  constructor(stage, name) {
    this.name = name;
    this.home = path.join(stage, name, "home");
    this.folder = path.join(stage, name, "parser");
    this.pids = new Set();
  }

  async settle() {
    for (const folder of [this.home, this.folder]) fs.mkdirSync(folder, { recursive: true });
    await this.run("config", "set", "network.listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0");
    await this.run("config", "set", "network.mdns", "false");
    await this.run("config", "set", "dashboard.port", String(await freePort()));
  }

  init() {
    return this.ask("init", "--name", this.name, "--no-wire");
  }

  join(invite) {
    return this.ask("join", invite, "--name", this.name, "--no-wire");
  }

  status() {
    return this.ask("status");
  }

  /** The address that lets one browser in, once. */
  async link() {
    try {
      return (await this.ask("dashboard", "--print")).url;
    } catch (error) {
      throw error.rule === "humans_only" ? new NoWayIn(error.message) : error;
    }
  }

  /** Everything that was said, in the room's order. */
  async said() {
    const lines = await this.lines("read", "--limit", "500");
    return lines.flatMap((line) => line.events ?? line).filter((entry) => entry.html !== undefined || !ROOM_EVENTS.has(entry.kind));
  }

  /** The answer of a command. */
  async ask(...args) {
    return (await this.lines(...args)).pop();
  }

  async lines(...args) {
    const { stdout, stderr } = await this.run("--json", ...args);
    const lines = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const failed = lines.find((line) => line.error);
    if (failed) throw new Refusal(failed.error);
    if (!lines.length) throw new Error(`pairwave ${args[0]} answered nothing: ${stderr}`);
    this.#note();
    return lines;
  }

  run(...args) {
    return new Promise((resolve, reject) => {
      const child = spawn(BINARY, [...args, "--home", this.home], { cwd: this.folder, env: plainEnv(), stdio: ["ignore", "pipe", "pipe"] });
      const out = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (text) => (out.stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text) => (out.stderr += text));
      child.on("error", reject);
      // Not "close": a companion that the command started may keep its pipes.
      child.on("exit", () => setImmediate(() => resolve(out)));
    });
  }

  get pid() {
    try {
      return Number(fs.readFileSync(path.join(this.home, "run", "pid"), "utf8").trim()) || null;
    } catch {
      return null;
    }
  }

  /** What a power failure does to a process. */
  async kill() {
    const { pid } = this;
    process.kill(pid, "SIGKILL");
    await until("the companion to be gone", () => !isAlive(pid));
  }

  wake() {
    return this.ask("up");
  }

  async stop() {
    this.#note();
    if ([...this.pids].some(isAlive)) await this.run("down");
    this.stopHard();
  }

  stopHard() {
    for (const pid of this.pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }

  /** The end of the companion's log. */
  lastWords() {
    try {
      return fs.readFileSync(path.join(this.home, "run", "pairwave.log"), "utf8").trim().split("\n").slice(-8).join("\n");
    } catch {
      return "";
    }
  }

  #note() {
    if (this.pid) this.pids.add(this.pid);
  }
}

const ROOM_EVENTS = new Set(["genesis", "invited", "invite_closed", "admitted", "removed", "left", "rotated", "verified", "named", "relay_added", "relay_removed", "letter_keys", "charter_proposed", "charter_accepted", "charter_declined", "floor_claimed", "floor_yielded", "floor_taken", "floor_released", "action", "approved", "denied", "handed", "completed", "expired", "overridden", "prompted", "code", "remembered", "git_setup", "committed", "paths_claimed", "paths_released", "claims_expired", "foreign"]);

/** The environment of a person's terminal. */
export function plainEnv(more = {}) {
  const env = { ...process.env, ...more };
  for (const name of Object.keys(env)) if (MARKERS.includes(name) || name.startsWith("PAIRWAVE_")) delete env[name];
  return env;
}

/** Below the ports that connections get: while a companion is away, nobody else is given its port. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = net.createServer();
    const isFree = await new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export function isAlive(pid) {
  try {
    // A process that nobody waited for yet is dead, too.
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
