// A web server that is none of ours, and what it got to hear.

import http from "node:http";

export class Foreign {
  /** Every request that reached it. @type {{url: string, headers: Record<string, unknown>}[]} */
  heard = [];

  static async open(scene) {
    const foreign = new Foreign();
    foreign.server = http.createServer((request, response) => {
      foreign.heard.push({ url: request.url, headers: request.headers });
      response.setHeader("content-type", "text/html").end("<!doctype html><title>elsewhere</title>");
    });
    await new Promise((resolve) => foreign.server.listen(0, "127.0.0.1", resolve));
    foreign.port = foreign.server.address().port;
    scene.endings.push(() => {
      foreign.server.closeAllConnections?.();
      foreign.server.close();
    });
    return foreign;
  }

  at(path, host = "127.0.0.1") {
    return `http://${host}:${this.port}${path}`;
  }
}
