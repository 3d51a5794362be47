// Drives the two clients of the documents, as transpiled, against a live server:
//     node drive.mjs http://127.0.0.1:PORT FOLDER
// FOLDER holds browser.js and mobile.js. The server's access tokens live a second.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { pathToFileURL } from "node:url";
import { Jar } from "./jar.mjs";

const [server, folder] = process.argv.slice(2);
const REFRESH = "/api/auth/refresh";
const PASSWORD = "correct horse battery staple";
const EXPIRED_AFTER = 7000; // a second, and the five that the verifier allows clocks to differ
const nodeFetch = globalThis.fetch;
const recipe = (name) => import(`${pathToFileURL(folder)}/${name}.js`);
const { client } = await recipe("mobile");
const { call } = await recipe("browser");

// A relative address is a browser's.
let jar = null;
globalThis.fetch = (address, init) => (address.startsWith("/") ? jar.fetch(address, init) : nodeFetch(address, init));

const post = (path, body) =>
  nodeFetch(server + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

let people = 0;
async function register() {
  const answer = await post("/api/auth/register", { email: `${(people += 1)}@example.com`, password: PASSWORD });
  assert.equal(answer.status, 201);
  return answer.json();
}

/// The network between client and server. `faults` happen to the first refreshes, one each; `refreshes` counts them.
async function network(...faults) {
  const proxy = http.createServer(async (request, response) => {
    const chunks = await request.toArray();
    const isRefresh = request.url === REFRESH;
    const fault = isRefresh ? faults.shift() : undefined;
    found.refreshes += isRefresh ? 1 : 0;
    if (fault?.instead) return fault.instead(response);
    const { method, headers } = request;
    const passed = http.request(server + request.url, { method, headers }, async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      if (fault?.after) return fault.after(answer, body, response);
      response.writeHead(answer.statusCode, answer.headers).end(body);
    });
    passed.end(Buffer.concat(chunks));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const found = { refreshes: 0, faults, base: `http://127.0.0.1:${proxy.address().port}`, close: () => proxy.close() };
  return found;
}

const lost = { after: (_answer, _body, response) => response.socket.destroy() };
const cutShort = {
  after: (answer, body, response) => {
    response.writeHead(answer.statusCode, answer.headers).write(body.subarray(0, body.length / 2));
    setTimeout(() => response.socket.destroy(), 50);
  },
};
const says = (status, headers = {}, body = "") => ({ instead: (response) => response.writeHead(status, headers).end(body) });
const busy = says(503, { "Retry-After": "2" });
const portal = says(404, { "Content-Type": "text/html" }, "<h1>Welcome to the hotel</h1>");
const welcome = says(200, { "Content-Type": "text/html" }, "<h1>Welcome to the hotel</h1>");
const down = { instead: (response) => response.socket.destroy() };

/// A phone with a registered owner behind a network with these faults, and all that its keychain was told.
async function phone(...faults) {
  const tokens = await register();
  const saved = [];
  const keychain = {
    tokens,
    load: async () => keychain.tokens,
    save: async (next) => void saved.push((keychain.tokens = next)),
  };
  const net = await network(...faults);
  return { ...tokens, keychain, saved, net, call: client(net.base, keychain) };
}

/// A browser whose owner registered, behind a network with these faults.
async function tab(...faults) {
  const net = await network(...faults);
  const own = new Jar(net.base, server, nodeFetch);
  jar = own;
  const body = JSON.stringify({ email: `${(people += 1)}@example.com`, password: PASSWORD });
  const answer = await call("/api/auth/register", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.equal(answer.status, 201);
  return { net, jar: own };
}

async function took(action) {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

const status = async (answer) => (await answer).status;
const session = "/api/auth/session";

/// Each is prepared, all wait for the access tokens to expire, then each acts.
const scenarios = {
  async "mobile: five calls with an expired token refresh once"() {
    const it = await phone();
    return async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => it.call(session)));
      assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200, 200, 200]);
      const task = await it.call("/api/tasks", { method: "POST", body: JSON.stringify({ title: "Buy milk" }) });
      assert.equal(task.status, 201);
      assert.equal(it.net.refreshes, 1);
      assert.notEqual(it.keychain.tokens.refresh_token, it.refresh_token);
    };
  },
  async "mobile: a lost answer, half an answer, no network, a hotel: it recovers"() {
    const it = await phone(lost, cutShort, down, portal, welcome);
    return async () => {
      assert.equal(await status(it.call(session)), 200);
      assert.deepEqual([it.net.refreshes, it.saved.length], [6, 1]);
    };
  },
  async "mobile: killed before it saved, the old token still works"() {
    const it = await phone();
    const save = it.keychain.save;
    it.keychain.save = async () => {
      it.keychain.save = save;
      throw new Error("killed");
    };
    return async () => {
      await assert.rejects(it.call(session), /killed/);
      assert.equal(await status(it.call(session)), 200);
    };
  },
  async "mobile: 503 with Retry-After: it waits as long, keeps its tokens and goes on"() {
    const it = await phone(busy);
    return async () => {
      const seconds = await took(async () => assert.equal(await status(it.call(session)), 200));
      assert.ok(seconds >= 2 && seconds < 6, `${seconds} s`);
      assert.ok(!it.saved.includes(null));
    };
  },
  async "mobile: 401: the keychain is emptied and the answer is 401"() {
    const it = await phone();
    assert.equal(await status(post("/api/auth/logout", { refresh_token: it.refresh_token })), 200);
    return async () => {
      assert.equal(await status(it.call(session)), 401);
      assert.deepEqual(it.saved, [null]);
      assert.equal(await status(it.call(session)), 401);
    };
  },
  async "browser: three calls with an expired cookie refresh once"() {
    const it = await tab();
    return async () => {
      jar = it.jar;
      const create = { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"title":"Buy milk"}' };
      const answers = await Promise.all([call(session), call("/api/tasks", create), call("/api/tasks")]);
      assert.deepEqual(answers.map((answer) => answer.status), [200, 201, 200]);
      assert.equal(it.net.refreshes, 1);
    };
  },
  async "browser: a lost answer and a 503: it recovers"() {
    const it = await tab(lost, busy);
    return async () => {
      jar = it.jar;
      const seconds = await took(async () => assert.equal(await status(call(session)), 200));
      assert.ok(seconds >= 3 && seconds < 8, `${seconds} s`);
      assert.equal(it.net.refreshes, 3);
    };
  },
  async "browser: the refresh is refused: the 401 comes back"() {
    const it = await tab();
    const body = JSON.stringify({ refresh_token: it.jar.value("refresh_token") });
    assert.equal(await status(post("/api/auth/logout", JSON.parse(body))), 200);
    return async () => {
      jar = it.jar;
      const answer = await call(session);
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get("WWW-Authenticate"), /^Bearer/);
      assert.equal(it.net.refreshes, 1);
    };
  },
};

const prepared = [];
for (const [name, prepare] of Object.entries(scenarios)) prepared.push([name, await prepare()]);
await new Promise((go) => setTimeout(go, EXPIRED_AFTER));
for (const [name, act] of prepared) {
  await act();
  console.log(`ok: ${name}`);
}
process.exit(0);
