// Tests Better Auth's client in a mobile app, which keeps the token itself and sends neither cookies nor Origin.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { createAuthClient } from "better-auth/client";
import { PASSWORD, SERVER, address } from "./browser.mjs";

/// Like `fetch`, without the headers that Node's `fetch` adds and an app does not send.
function appFetch(address, init = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(address, { method: init.method ?? "GET", headers: Object.fromEntries(new Headers(init.headers)) });
    request.on("error", reject);
    request.on("response", async (response) => {
      const body = Buffer.concat(await response.toArray());
      const headers = Object.entries(response.headers).flatMap(([name, value]) => [value].flat().map((value) => [name, value]));
      resolve(new Response(body, { status: response.statusCode, headers }));
    });
    request.end(init.body);
  });
}

function app() {
  const it = { token: null };
  it.client = createAuthClient({
    baseURL: SERVER,
    fetchOptions: {
      customFetchImpl: appFetch,
      auth: { type: "Bearer", token: () => it.token ?? "" },
      onSuccess: ({ response }) => {
        it.token = response.headers.get("set-auth-token") ?? it.token;
      },
    },
  });
  return it;
}

test("the header's signed token and the body's raw one both work, in every call", async () => {
  const it = app();
  const email = address();
  const { data, error } = await it.client.signUp.email({ email, password: PASSWORD, name: "Ada" });
  assert.equal(error, null);
  assert.ok(it.token.startsWith(`${data.token}.`));
  for (const token of [it.token, encodeURIComponent(it.token), data.token]) {
    it.token = token;
    assert.equal((await it.client.getSession()).data.user.email, email);
    assert.deepEqual((await it.client.updateUser({ name: "Ada L." })).data, { status: true });
    assert.equal((await it.client.listSessions()).data.length, 1);
  }
  assert.deepEqual((await it.client.signOut()).data, { success: true });
  assert.equal((await it.client.getSession()).data, null);
  assert.equal((await it.client.listSessions()).error.status, 401);
});

test("a change of password leaves the app signed in with the token of the header, and no copy of the old one", async () => {
  const [it, thief] = [app(), app()];
  await it.client.signUp.email({ email: address(), password: PASSWORD, name: "Ada" });
  thief.token = it.token;
  const { data } = await it.client.changePassword({ currentPassword: PASSWORD, newPassword: "another password" });
  assert.equal(data.token, null);
  assert.notEqual(it.token, thief.token);
  assert.equal((await it.client.getSession()).data.user.name, "Ada");
  assert.equal((await thief.client.getSession()).data, null);
});

test("forged, truncated and mixed tokens are ignored", async () => {
  const it = app();
  await it.client.signUp.email({ email: address(), password: PASSWORD, name: "Ada" });
  const valid = it.token;
  const other = app();
  await other.client.signUp.email({ email: address(), password: PASSWORD, name: "Eve" });
  const swapped = `${valid.split(".")[0]}.${other.token.split(".")[1]}`;
  for (const bad of [valid.slice(0, -2), valid.slice(1), swapped, valid.split(".")[0].slice(1), "x", "a.b.c"]) {
    it.token = bad;
    assert.equal((await it.client.getSession()).data, null, bad);
    assert.equal((await it.client.updateUser({ name: "Mallory" })).error.status, 401, bad);
  }
  it.token = valid;
  assert.equal((await it.client.getSession()).data.user.name, "Ada");
});
