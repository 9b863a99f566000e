// An agent: an MCP client on the stdio of `pairwave mcp`.

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { BINARY, plainEnv } from "./person.js";

export class Agent {
  #waiting = new Map();
  #next = 1;

  /** @param {import("./person.js").Person} person */
  static async start(person) {
    const agent = new Agent();
    // A shell as its host: whatever a host of an agent starts counts as the agent's, and this process speaks for humans.
    // Not by a shell's name, which stands for what is between a host and its server.
    const host = path.join(path.dirname(person.home), "host");
    if (!fs.existsSync(host)) fs.symlinkSync("/bin/sh", host);
    const server = [BINARY, "mcp", "--home", person.home, "--dir", person.folder];
    agent.process = spawn(host, ["-c", '"$@"; exit $?', "host", ...server], { cwd: person.folder, env: plainEnv(), stdio: ["pipe", "pipe", "ignore"] });
    readline.createInterface({ input: agent.process.stdout }).on("line", (line) => agent.#take(JSON.parse(line)));
    await agent.#request("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "browser-tests", version: "1" } });
    agent.#write({ method: "notifications/initialized" });
    await agent.call("pair_inbox", {});
    return agent;
  }

  async call(name, args) {
    const result = await this.#request("tools/call", { name, arguments: args });
    if (result.isError) throw new Error(JSON.stringify(result.structuredContent ?? result.content));
    return result.structuredContent;
  }

  /** Says something; gives its event. */
  async say(message) {
    return (await this.call("pair_send", message)).event;
  }

  /** Takes what there is, so that it counts as shown. */
  async hear(event) {
    for (;;) {
      const inbox = await this.call("pair_wait", { timeout_s: 30 });
      if (inbox.items.some((item) => item.entry?.event === event)) return;
      if (inbox.timed_out) throw new Error(`${event} did not arrive`);
    }
  }

  async end() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin.end();
    await ended;
  }

  #request(method, params) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#write({ id, method, params });
    });
  }

  #write(message) {
    this.process.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #take(message) {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(message.error.message));
    else waiting.resolve(message.result);
  }
}
