// Each rule of the guard, by an attack on it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { agreedRoom, asks } from "./lib/agreed.js";
import { by, entry, openPage, openRoom, say } from "./lib/browser.js";
import { Foreign } from "./lib/foreign.js";
import { until } from "./lib/patience.js";
import { plainEnv } from "./lib/person.js";
import { scene } from "./lib/scene.js";

/** A name that somebody made point to this machine. */
const REBOUND = "--host-resolver-rules=MAP evil.test 127.0.0.1";

scene("a foreign page gets nothing, from another site or another port", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const browser = await scene.browser(REBOUND);
  const foreign = await Foreign.open(scene);
  const hers = await openRoom(browser, alice);
  const target = new URL(hers.url()).origin;
  for (const host of ["evil.test", "127.0.0.1", "localhost"]) {
    const theirs = await hers.context().newPage();
    const answers = [];
    theirs.on("response", (response) => response.url().startsWith(target) && answers.push([new URL(response.url()).pathname, response.status()]));
    await theirs.goto(foreign.at("/", host));
    const onItself = await theirs.evaluate(attacks, foreign.at("", host));
    for (const attack of ["reading the page", "asking", "a frame", "a window"]) assert.notEqual(onItself[attack], "nothing", `${attack} works where it may`);
    for (const [attack, outcome] of Object.entries(await theirs.evaluate(attacks, target))) assert.equal(outcome, "nothing", `${attack} from ${host}`);
    await postForm(theirs, `${target}/api/ask`);
    const asked = answers.filter(([path, status]) => path.startsWith("/api/") && status < 400);
    assert.deepEqual(asked, [], `nothing of the API answered ${host}`);
    await theirs.close();
  }
  assert.deepEqual(await alice.said(), []);
  await say(hers, "the page itself goes on");
  await entry(hers, "the page itself goes on").waitFor();
});

/** Runs on the foreign page: what it may try, and what it got. */
async function attacks(target) {
  const question = JSON.stringify({ ask: "send", kind: "chat", text: "said by a foreign page" });
  const tried = {};
  const attempt = async (name, what) => {
    tried[name] = await what().catch(() => "nothing");
  };
  const read = (path, how) => async () => (await (await fetch(target + path, how)).text()) || "nothing";
  const json = { "content-type": "application/json" };
  await attempt("reading the page", read("/"));
  await attempt("asking", read("/api/ask", { method: "POST", headers: json, body: question }));
  await attempt("asking with credentials", read("/api/ask", { method: "POST", headers: json, body: question, credentials: "include" }));
  await attempt("asking without the browser asking first", read("/api/ask", { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: question }));
  await attempt("logging in", read("/api/login", { method: "POST", headers: json, body: JSON.stringify({ code: "guess" }) }));
  await attempt("listening", read("/api/stream", { headers: { authorization: "Bearer guess" } }));
  const element = (name, props, isSomething = () => true) => () => new Promise((resolve) => {
    const one = Object.assign(document.createElement(name), props);
    one.onload = () => resolve(isSomething(one) ? "loaded" : "nothing");
    one.onerror = () => resolve("nothing");
    document.body.append(one);
  });
  await attempt("an image", element("img", { src: `${target}/favicon.svg` }));
  await attempt("a script", element("script", { src: `${target}/main.js`, type: "module" }));
  await attempt("a classic script", element("script", { src: `${target}/main.js` }));
  await attempt("a style sheet", element("link", { href: `${target}/base.css`, rel: "stylesheet" }));
  // A frame that was refused shows an error page of the browser, which is foreign, too.
  await attempt("a frame", element("iframe", { src: target }, (frame) => frame.contentWindow.length > 0 || Boolean(frame.contentDocument)));
  await attempt("a window", async () => {
    const opened = window.open(target);
    // It has left the empty page, which is ours; what it shows then throws if it is not. One that cut the tie is closed to us.
    while (opened && !opened.closed && opened.location.href === "about:blank") await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      return opened?.sessionStorage ? "reached" : "nothing";
    } finally {
      opened?.close();
    }
  });
  return tried;
}

/** A form of plain text whose body is a question in JSON. */
async function postForm(page, action) {
  await page.evaluate((action) => {
    const form = Object.assign(document.createElement("form"), { method: "post", enctype: "text/plain", action });
    form.append(Object.assign(document.createElement("input"), { name: '{"ask":"send","kind":"chat","text":"said by a form","key":"', value: '"}' }));
    document.body.append(form);
    form.submit();
  }, action);
  await page.waitForURL(action);
  assert.match(await page.locator("body").innerText(), /another page may not ask/);
}

scene("a foreign name for this address is turned away", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const browser = await scene.browser(REBOUND);
  const link = new URL(await alice.link());
  const page = await (await browser.newContext()).newPage();
  for (const path of ["/", "/main.js", "/api/stream"]) {
    const response = await page.goto(`http://evil.test:${link.port}${path}`);
    assert.equal(response.status(), 421);
    assert.doesNotMatch(await response.text(), /pairwave|alice/);
  }
  // It is of one origin with what it asks, so no browser stops it; the companion does.
  const status = await page.evaluate(async (code) => (await fetch("/api/login", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ code }),
  })).status, link.hash.slice("#code=".length));
  assert.equal(status, 421);
  const hers = await openPage(browser, link.href);
  await hers.locator(by("room")).waitFor();
});

scene("a code opens the page once", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const browser = await scene.browser();
  const link = await alice.link();
  const hers = await openPage(browser, link);
  await hers.locator(by("room")).waitFor();
  const theirs = await openPage(browser, link);
  await theirs.locator(by("locked")).waitFor();
  assert.equal(await theirs.locator(by("entry")).count(), 0);
  assert.equal(await theirs.evaluate(() => sessionStorage.length), 0);
  // Without any code it is locked, too: being on this machine is not enough.
  const nobody = await openPage(browser, new URL("/", link).href);
  await nobody.locator(by("locked")).waitFor();
  await hers.reload();
  await hers.locator(by("entry")).first().waitFor();
});

scene("the token is where nobody else can read it", async (scene) => {
  const { alice, bob } = await scene.pair();
  const browser = await scene.browser();
  const foreign = await Foreign.open(scene);
  const link = await alice.link();
  const hers = await openPage(browser, link);
  await hers.locator(by("entry")).first().waitFor();
  const token = await hers.evaluate(() => sessionStorage.getItem("pairwave.token"));
  assert.ok(token.length > 20);

  const secrets = [token, link.split("#code=")[1]];
  const hides = (where, text) => secrets.forEach((secret) => assert.ok(!text.includes(secret), where));
  hides("the address", hers.url());
  const session = await hers.context().newCDPSession(hers);
  const { entries } = await session.send("Page.getNavigationHistory");
  hides("the history", entries.map((one) => `${one.url} ${one.title}`).join());
  hides("what outlives the tab", await hers.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie + window.name));
  assert.deepEqual(await hers.context().cookies(), []);

  await bob.ask("send", `[look](${foreign.at("/followed")})`);
  const [opened] = await Promise.all([hers.context().waitForEvent("page"), entry(hers, "look").getByRole("link").click()]);
  await opened.waitForLoadState();
  assert.equal(await opened.evaluate(() => window.opener), null);
  assert.equal(await opened.evaluate(() => document.referrer), "");
  const followed = foreign.heard.find((request) => request.url === "/followed");
  assert.equal(followed.headers.referer, undefined);
  hides("what a link takes along", JSON.stringify(foreign.heard));

  // Another port of this machine is another origin: it has a storage of its own, where a cookie would be shared.
  const other = await hers.context().newPage();
  await other.goto(foreign.at("/"));
  assert.equal(await other.evaluate(() => sessionStorage.length + localStorage.length), 0);
  assert.equal(foreign.heard.at(-1).headers.cookie, undefined);
});

scene("another user of this machine gets nothing", async (scene) => {
  const { alice } = await scene.pair();
  await alice.ask("send", "between us");
  const { port } = new URL(await alice.link());
  const answers = asAnotherUser(Number(port));
  assert.match(answers.page, /^HTTP\/1\.1 200/);
  for (const [what, answer] of Object.entries(answers)) {
    if (what !== "page") assert.match(answer, /^HTTP\/1\.1 401/, what);
    assert.doesNotMatch(answer, /between us|alice|bob|parser/, what);
  }
});

/** Requests without a token; as nobody where that can be, since only root can become somebody else. */
function asAnotherUser(port) {
  const who = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawnSync(process.execPath, ["-e", KNOCKS, String(port)], { env: plainEnv(), cwd: "/", encoding: "utf8", ...who });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout);
}

const KNOCKS = `
const port = Number(process.argv[1]);
const knock = (head, body = "") => new Promise((resolve, reject) => {
  let answer = "";
  const socket = require("node:net").connect(port, "127.0.0.1");
  socket.setEncoding("utf8").on("data", (text) => (answer += text)).on("end", () => resolve(answer)).on("error", reject);
  socket.write([head[0] + " HTTP/1.1", "host: 127.0.0.1:" + port, "connection: close", "content-length: " + body.length, ...head.slice(1), "", body].join("\\r\\n"));
});
const json = "content-type: application/json";
const rooms = JSON.stringify({ ask: "rooms" });
(async () => console.log(JSON.stringify({
  page: await knock(["GET /"]),
  ask: await knock(["POST /api/ask", json], rooms),
  guess: await knock(["POST /api/ask", json, "authorization: Bearer " + "A".repeat(43)], rooms),
  cookie: await knock(["POST /api/ask", json, "cookie: token=guess"], rooms),
  stream: await knock(["GET /api/stream"]),
})))();
`;

scene("what a peer writes runs nothing and loads nothing", async (scene) => {
  const { alice, bob } = await agreedRoom(scene, ["lexer", "reviewer"]);
  const browser = await scene.browser();
  const foreign = await Foreign.open(scene);
  const hers = await openRoom(browser, alice);
  const visits = [];
  hers.on("framenavigated", (frame) => visits.push(frame.url()));
  const texts = injections(foreign);
  for (const text of texts) await bob.ask("send", text);
  await until("the floor to be his", async () => (await asks(bob, { ask: "claim_floor", reason: texts[0] })).yours);
  await bob.ask("send", "--kind", "finding", "--headline", "<img src=x onerror=window.pwned=1>", "under a headline");
  await bob.ask("rename", "<script>window.pwned=1</script>").catch(() => {});
  await bob.ask("send", "that was all");
  await entry(hers, "that was all").waitFor();
  await asks(bob, { ask: "request_action", action: "write_file", risk: "low", summary: texts[1], payload: texts.join("\n"), target_path: `notes/${texts[0]}` });
  await hers.locator(`${by("request-dialog")} ${by("payload")}`).waitFor();
  assert.equal(await hers.locator(by("request-dialog")).locator("script, img, iframe, form, style, link, base, meta, [onload], [onerror]").count(), 0);
  assert.equal(await hers.locator(by("payload")).textContent(), texts.join("\n"));
  await hers.keyboard.press("Escape");

  const body = hers.locator(by("transcript"));
  assert.equal(await body.locator("script, iframe, object, embed, form, style, link, [onload], [onerror], [onclick], [style]:not([style^='--'])").count(), 0);
  for (const link of await body.getByRole("link").all()) {
    assert.match(await link.getAttribute("href") ?? "", /^(https?|mailto):/);
  }
  assert.equal(await hers.evaluate(() => window.pwned), undefined);
  assert.deepEqual(visits, []);
  assert.deepEqual(foreign.heard, []);
});

function injections(foreign) {
  return [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<svg onload='window.pwned = 1'><script>window.pwned = 1</script></svg>",
    "[here](javascript:window.pwned=1) <a href='javascript:window.pwned=1'>there</a> <a href='data:text/html,<script>1</script>'>data</a>",
    `<iframe src="${foreign.at("/frame")}"></iframe><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
    `![pixel](${foreign.at("/pixel.png")}) <img src="${foreign.at("/pixel.gif")}">`,
    `<form action="${foreign.at("/form")}"><input name=token><button>Log in</button></form>`,
    `<style>@import "${foreign.at("/style.css")}"; * { display: none }</style><p style="position:fixed;inset:0">over it all</p>`,
    `<meta http-equiv=refresh content="0;url=${foreign.at("/away")}"><base href="${foreign.at("/base")}">`,
    "```\"><script>window.pwned=1</script>\ncode\n```",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=window.pwned=1>",
  ];
}

scene("where something slipped in, the browser does not run it", async (scene) => {
  const alice = await scene.person("alice");
  await alice.init();
  const browser = await scene.browser();
  const foreign = await Foreign.open(scene);
  const hers = await openRoom(browser, alice);
  const outcome = await hers.evaluate(slipIn, foreign.at("/"));
  for (const [what, came] of Object.entries(outcome)) assert.equal(came, "refused", what);
  assert.equal(await hers.evaluate(() => window.pwned), undefined);
  assert.deepEqual(foreign.heard, []);
});

/** Runs on our page, as an injected piece of it would. Later, out of the reach of the test's own evaluation. */
function slipIn(elsewhere) {
  const refused = (what) => new Promise((resolve) => setTimeout(async () => {
    try {
      resolve(await what() ?? "done");
    } catch {
      resolve("refused");
    }
  }));
  const loads = (name, props) => () => new Promise((resolve) => {
    const one = Object.assign(document.createElement(name), props);
    one.onload = () => resolve("loaded");
    one.onerror = () => resolve("refused");
    document.body.append(one);
  });
  const entries = {
    "HTML into an element": () => { document.body.lastElementChild.innerHTML += "<b>x</b>"; },
    "HTML into the document": () => document.write("<b>x</b>"),
    "an inline script": () => document.body.append(Object.assign(document.createElement("script"), { textContent: "window.pwned = 1" })),
    "code from a text": () => eval("window.pwned = 1"),
    "a function from a text": () => new Function("window.pwned = 1")(),
    "another policy of trusted types": () => { window.trustedTypes.createPolicy("default", { createHTML: (text) => text }); },
    "asking elsewhere": () => fetch(elsewhere),
    "an image from elsewhere": loads("img", { src: `${elsewhere}image` }),
    "a style sheet from elsewhere": loads("link", { rel: "stylesheet", href: `${elsewhere}style` }),
    "a frame from data": () => new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", () => resolve("refused"), { once: true });
      document.body.append(Object.assign(document.createElement("iframe"), { src: "data:text/html,x" }));
    }),
  };
  return Promise.all(Object.entries(entries).map(async ([name, what]) => [name, await refused(what)])).then(Object.fromEntries);
}
