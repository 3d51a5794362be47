// Roles and claims that the operator sets, with the admin plugin of Better Auth's client.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { createAuthClient } from "better-auth/client";
import { adminClient, jwtClient } from "better-auth/client/plugins";
import { admin } from "better-auth/plugins";
import { createAccessControl } from "better-auth/plugins/access";
import { APP, Browser, PASSWORD, SERVER, address } from "./browser.mjs";

const access = createAccessControl({ article: ["read", "write"] });
const editor = access.newRole({ article: ["read", "write"] });

function device(page, options) {
  const browser = new Browser(page);
  const plugins = [adminClient(options), jwtClient()];
  return { browser, client: createAuthClient({ baseURL: SERVER, plugins, fetchOptions: { customFetchImpl: browser.fetch } }) };
}

async function newUser(page, options) {
  const it = { ...device(page, options), email: address() };
  const { error } = await it.client.signUp.email({ email: it.email, password: PASSWORD, name: "Ada" });
  assert.equal(error, null);
  return it;
}

/// Runs a command of the operator, and returns its output.
async function operator(...command) {
  const { stdout } = await promisify(execFile)(process.env.API_SERVER, command);
  return stdout.trim();
}

const roleOf = async ({ client }) => (await client.getSession()).data.user.role;
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/// Waits until the server rejects the token, and returns the code of the error. Fails after about 10 s.
async function rejection(token) {
  for (let left = 200; left > 0; left -= 1) {
    const response = await fetch(`${SERVER}/api/auth/session`, bearer(token));
    if (response.status === 401) return (await response.json()).code;
    await new Promise((go) => setTimeout(go, 50));
  }
  return assert.fail("the token is accepted");
}

test("the roles that the operator sets are in the session, separated by commas", async () => {
  const it = await newUser();
  assert.equal(await roleOf(it), undefined);
  assert.equal(await operator("users", "roles", it.email, "--add", "editor", "--add", "admin"), "admin\neditor");
  assert.equal(await roleOf(it), "admin,editor");
  const other = device();
  const { data } = await other.client.signIn.email({ email: it.email, password: PASSWORD });
  assert.equal(data.user.role, "admin,editor");
  await operator("users", "roles", it.email, "--remove", "admin");
  assert.equal(await roleOf(it), "editor");
  await operator("users", "roles", it.email, "--remove", "editor");
  assert.equal(await roleOf(it), undefined);
});

test("the client decides with the role of the session what its user may do", async () => {
  const it = await newUser(undefined, { ac: access, roles: { editor } });
  const { checkRolePermission } = it.client.admin;
  const may = async (permissions) => checkRolePermission({ role: await roleOf(it), permissions });
  assert.equal(await may({ user: ["ban"] }), false);
  assert.equal(await may({ article: ["write"] }), false);
  await operator("users", "roles", it.email, "--add", "editor");
  assert.equal(await may({ user: ["ban"] }), false);
  assert.equal(await may({ article: ["write"] }), true);
  await operator("users", "roles", it.email, "--add", "admin");
  assert.equal(await may({ user: ["ban"] }), true);
  assert.equal(await may({ article: ["write"] }), true);
});

test("a change makes earlier tokens stale, and the next token has the roles and the claims", async () => {
  const it = await newUser();
  const before = (await it.client.token()).data.token;
  assert.deepEqual([claimsOf(before).roles, claimsOf(before).plan], [undefined, undefined]);
  await operator("users", "roles", it.email, "--add", "admin");
  await operator("users", "claims", it.email, "--set", "plan=pro");
  assert.equal(await rejection(before), "TOKEN_STALE");
  const { token } = (await it.client.token()).data;
  assert.deepEqual([claimsOf(token).roles, claimsOf(token).plan], [["admin"], "pro"]);
  const { user } = await (await fetch(`${SERVER}/api/auth/session`, bearer(token))).json();
  assert.deepEqual([user.roles, user.claims], [["admin"], { plan: "pro" }]);
  // The session of Better Auth's API has the roles, but not the claims.
  assert.deepEqual([(await it.client.getSession()).data.user.plan, await roleOf(it)], [undefined, "admin"]);
});

test("every call of the admin API fails with an error that names the commands, also for an admin", async () => {
  const endpoints = Object.values(admin().endpoints);
  assert.ok(endpoints.length >= 15);
  const ada = await newUser(APP);
  await operator("users", "roles", ada.email, "--add", "admin");
  for (const { client } of [ada, device()]) {
    for (const { path, options } of endpoints) {
      const name = path.replace("/admin/", "").replace(/-./g, (match) => match[1].toUpperCase());
      const fields = { userId: "1", role: "admin" };
      const { data, error } = await client.admin[name](options.method === "GET" ? { query: fields } : fields);
      assert.equal(data, null);
      assert.deepEqual([error.status, error.code], [404, "ADMIN_API_NOT_SUPPORTED"], name);
      assert.match(error.message, /^This server has no admin API.*`api-server users roles`/);
    }
  }
  assert.deepEqual(new Set(ada.browser.log.slice(1).map(({ path }) => path)), new Set(endpoints.map(({ path }) => `/api/auth${path}`)));
  assert.equal(await roleOf(ada), "admin");
});
