// Tests the two clients of the documents, transpiled to JavaScript, against a live server:
//     node drive.mjs http://127.0.0.1:PORT FOLDER
// FOLDER contains browser.js and mobile.js. The server's access tokens live one second.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { pathToFileURL } from "node:url";
import { Jar } from "./jar.mjs";

const [server, folder] = process.argv.slice(2);
const REFRESH = "/api/auth/refresh";
const PASSWORD = "correct horse battery staple";
const EXPIRED_AFTER = 7000; // milliseconds: a lifetime of 1 s, the leeway of the verifier of 5 s, and 1 s to spare
const nodeFetch = globalThis.fetch;
const recipe = (name) => import(`${pathToFileURL(folder)}/${name}.js`);
const { client } = await recipe("mobile");
const { call } = await recipe("browser");

// Only the browser client uses relative URLs.
let jar = null;
globalThis.fetch = (address, init) => (address.startsWith("/") ? jar.fetch(address, init) : nodeFetch(address, init));

const post = (path, body) =>
  nodeFetch(server + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

let users = 0;
async function register() {
  const response = await post("/api/auth/register", { email: `${(users += 1)}@example.com`, password: PASSWORD });
  assert.equal(response.status, 201);
  return response.json();
}

/// A network between client and server. The first refreshes have the `faults`, one each, in order. `refreshes`
/// counts all refreshes.
async function network(...faults) {
  const proxy = http.createServer(async (request, outgoing) => {
    const chunks = await request.toArray();
    const isRefresh = request.url === REFRESH;
    const fault = isRefresh ? faults.shift() : undefined;
    found.refreshes += isRefresh ? 1 : 0;
    if (fault?.instead) return fault.instead(outgoing);
    const { method, headers } = request;
    const passed = http.request(server + request.url, { method, headers }, async (upstream) => {
      const body = Buffer.concat(await upstream.toArray());
      if (fault?.after) return fault.after(upstream, body, outgoing);
      outgoing.writeHead(upstream.statusCode, upstream.headers).end(body);
    });
    passed.end(Buffer.concat(chunks));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const found = { refreshes: 0, faults, base: `http://127.0.0.1:${proxy.address().port}`, close: () => proxy.close() };
  return found;
}

const lost = { after: (_upstream, _body, outgoing) => outgoing.socket.destroy() };
const cutShort = {
  after: (upstream, body, outgoing) => {
    outgoing.writeHead(upstream.statusCode, upstream.headers).write(body.subarray(0, body.length / 2));
    setTimeout(() => outgoing.socket.destroy(), 50);
  },
};
const respond = (status, headers = {}, body = "") => ({ instead: (outgoing) => outgoing.writeHead(status, headers).end(body) });
const busy = respond(503, { "Retry-After": "2" });
const portal = respond(404, { "Content-Type": "text/html" }, "<h1>Welcome to the hotel</h1>");
const welcome = respond(200, { "Content-Type": "text/html" }, "<h1>Welcome to the hotel</h1>");
const down = { instead: (outgoing) => outgoing.socket.destroy() };

/// A phone with a registered user, behind a network with these faults. `saved` lists what the client saved to the
/// keychain of the phone.
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

/// A browser with a registered user, behind a network with these faults.
async function tab(...faults) {
  const net = await network(...faults);
  const own = new Jar(net.base, server, nodeFetch);
  jar = own;
  const body = JSON.stringify({ email: `${(users += 1)}@example.com`, password: PASSWORD });
  const response = await call("/api/auth/register", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.equal(response.status, 201);
  return { net, jar: own };
}

async function took(action) {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

const status = async (response) => (await response).status;
const session = "/api/auth/session";

/// Every scenario is prepared, the access tokens expire, then every scenario runs.
const scenarios = {
  async "mobile: five calls with an expired token refresh once"() {
    const it = await phone();
    return async () => {
      const responses = await Promise.all(Array.from({ length: 5 }, () => it.call(session)));
      assert.deepEqual(responses.map((response) => response.status), [200, 200, 200, 200, 200]);
      const task = await it.call("/api/tasks", { method: "POST", body: JSON.stringify({ title: "Buy milk" }) });
      assert.equal(task.status, 201);
      assert.equal(it.net.refreshes, 1);
      assert.notEqual(it.keychain.tokens.refresh_token, it.refresh_token);
    };
  },
  async "mobile: a lost response, half a response, no network, a hotel portal: it recovers"() {
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
  async "mobile: 503 with Retry-After: it waits that long, keeps its tokens and continues"() {
    const it = await phone(busy);
    return async () => {
      const seconds = await took(async () => assert.equal(await status(it.call(session)), 200));
      assert.ok(seconds >= 2 && seconds < 6, `${seconds} s`);
      assert.ok(!it.saved.includes(null));
    };
  },
  async "mobile: 401: the keychain is emptied and the response is 401"() {
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
      const responses = await Promise.all([call(session), call("/api/tasks", create), call("/api/tasks")]);
      assert.deepEqual(responses.map((response) => response.status), [200, 201, 200]);
      assert.equal(it.net.refreshes, 1);
    };
  },
  async "browser: a lost response and a 503: it recovers"() {
    const it = await tab(lost, busy);
    return async () => {
      jar = it.jar;
      const seconds = await took(async () => assert.equal(await status(call(session)), 200));
      assert.ok(seconds >= 3 && seconds < 8, `${seconds} s`);
      assert.equal(it.net.refreshes, 3);
    };
  },
  async "browser: the refresh is rejected: the 401 is returned"() {
    const it = await tab();
    const body = JSON.stringify({ refresh_token: it.jar.value("refresh_token") });
    assert.equal(await status(post("/api/auth/logout", JSON.parse(body))), 200);
    return async () => {
      jar = it.jar;
      const response = await call(session);
      assert.equal(response.status, 401);
      assert.match(response.headers.get("WWW-Authenticate"), /^Bearer/);
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
