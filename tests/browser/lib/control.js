// A face of our own on the control socket: many questions at a time, where a command asks one.

import fs from "node:fs";
import net from "node:net";
import path from "node:path";

export class Control {
  #waiting = new Map();
  #rest = Buffer.alloc(0);
  #next = 1;

  /** @param {import("./person.js").Person} person */
  static async open(person) {
    const { version } = await person.status();
    const named = path.join(person.home, "run", "control.sock");
    const at = fs.lstatSync(named).isSocket() ? named : fs.readFileSync(named, "utf8").trim();
    const control = new Control();
    control.socket = net.connect(at);
    control.socket.on("data", (bytes) => control.#read(bytes));
    control.socket.on("error", (error) => control.#fail(error));
    control.socket.on("close", () => control.#fail(new Error("the companion ended the connection")));
    const greeted = new Promise((resolve, reject) => control.#waiting.set("greeting", { resolve, reject }));
    control.#write({ version, face: "cli", dir: person.folder, agent: false });
    await greeted;
    return control;
  }

  ask(request) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#write({ id, request });
    });
  }

  /**
   * Says many things, up to `atOnce` of them under way, and gives how many were said when the time was over. They come in any
   * order unless one is said at a time.
   * @param {(index: number) => object} what
   */
  async sayMany(count, what, { atOnce = 64, seconds = 60 } = {}) {
    const end = Date.now() + seconds * 1000;
    let next = 0;
    const one = async () => {
      while (next < count && Date.now() < end) await this.ask({ ask: "send", kind: "chat", ...what(next++) });
    };
    await Promise.all(Array.from({ length: atOnce }, one));
    return next;
  }

  close() {
    this.socket.destroy();
  }

  #write(what) {
    const frame = Buffer.from(JSON.stringify(what));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    this.socket.write(Buffer.concat([length, frame]));
  }

  #read(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE()) {
      const end = 4 + this.#rest.readUInt32BE();
      this.#take(JSON.parse(this.#rest.subarray(4, end).toString()));
      this.#rest = this.#rest.subarray(end);
    }
  }

  #take(answer) {
    const key = answer.id ?? "greeting";
    const { resolve, reject } = this.#waiting.get(key) ?? {};
    this.#waiting.delete(key);
    if (answer.failure) reject?.(new Error(JSON.stringify(answer.failure)));
    else resolve?.(answer.answer);
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
