// Tests Better Auth's client without a framework, in a simulated browser, against a live server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";
import { APP, Browser, PASSWORD, SERVER, UNTRUSTED, address } from "./browser.mjs";

const TOKEN = "better-auth.session_token";
const DAY = 24 * 60 * 60 * 1000;

function device(page) {
  const browser = new Browser(page);
  const client = createAuthClient({
    baseURL: SERVER,
    plugins: [jwtClient()],
    fetchOptions: { customFetchImpl: browser.fetch },
  });
  return { browser, client };
}

/// A new user, signed in.
async function newUser(page) {
  const it = { ...device(page), email: address() };
  const { data, error } = await it.client.signUp.email({ email: it.email, password: PASSWORD, name: "Ada" });
  assert.equal(error, null);
  return { ...it, user: data.user, token: data.token };
}

/// The same user on another device.
async function onOtherDevice(it, page) {
  const other = device(page);
  const { data, error } = await other.client.signIn.email({ email: it.email, password: PASSWORD });
  assert.equal(error, null);
  return { ...other, ...data };
}

function refused({ data, error }, status, code, message) {
  assert.equal(data, null);
  assert.deepEqual([error.status, error.code, error.message], [status, code, message]);
}

const signedOut = { data: null, error: null };

test("sign-up signs in, and every date is the right Date", async () => {
  const before = Date.now();
  const it = await newUser();
  assert.match(it.token, /^[a-zA-Z0-9]+$/);
  assert.equal(it.browser.cookie(TOKEN).split(".")[0], it.token);
  assert.deepEqual({ ...it.user, id: 0, createdAt: 0, updatedAt: 0 }, {
    id: 0, name: "Ada", email: it.email, emailVerified: false, image: null, createdAt: 0, updatedAt: 0,
  });
  const { data, error } = await it.client.getSession();
  assert.equal(error, null);
  assert.deepEqual(data.user, it.user);
  const { session } = data;
  assert.deepEqual([session.token, session.userId], [it.token, it.user.id]);
  for (const date of [it.user.createdAt, it.user.updatedAt, session.createdAt, session.updatedAt]) {
    assert.ok(date instanceof Date && date >= before - 1000 && date <= Date.now() + 1000, date);
  }
  assert.ok(session.expiresAt instanceof Date);
  assert.ok(Math.abs(session.expiresAt - session.createdAt - 7 * DAY) < 2000);
  assert.deepEqual([typeof session.ipAddress, typeof session.userAgent], ["string", "string"]);
});

test("sign-out ends the session and clears the cookie", async () => {
  const it = await newUser();
  const { data } = await it.client.signOut();
  assert.deepEqual(data, { success: true });
  assert.equal(it.browser.cookie(TOKEN), undefined);
  assert.deepEqual(await it.client.getSession(), signedOut);
  const again = await it.client.signOut();
  assert.deepEqual(again.data, { success: true });
});

test("wrong passwords, unknown and malformed addresses", async () => {
  const it = await newUser();
  const { client } = device();
  const signIn = (email, password) => client.signIn.email({ email, password });
  const wrong = [401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password"];
  refused(await signIn(it.email, `${PASSWORD}!`), ...wrong);
  refused(await signIn(address(), PASSWORD), ...wrong);
  refused(await signIn("ada", PASSWORD), 400, "INVALID_EMAIL", "Invalid email");
  refused(await signIn(it.email, "x".repeat(129)), 400, "PASSWORD_TOO_LONG", "Password too long");
  const upper = await signIn(it.email.toUpperCase(), PASSWORD);
  assert.equal(upper.data.user.id, it.user.id);
  assert.equal(upper.data.redirect, false);
});

test("existing addresses and invalid sign-ups", async () => {
  const it = await newUser();
  const signUp = (body) => device().client.signUp.email({ name: "Eve", email: address(), password: PASSWORD, ...body });
  const existing = [422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email."];
  refused(await signUp({ email: it.email }), ...existing);
  refused(await signUp({ email: it.email.toUpperCase() }), ...existing);
  refused(await signUp({ password: "1234567" }), 400, "PASSWORD_TOO_SHORT", "Password too short");
  refused(await signUp({ password: "x".repeat(129) }), 400, "PASSWORD_TOO_LONG", "Password too long");
  refused(await signUp({ email: "eve" }), 400, "VALIDATION_ERROR", "[body.email] Invalid email address");
});

test("several sessions: listed, one revoked, the others revoked, all revoked", async () => {
  const it = await newUser();
  const [laptop, phone] = [await onOtherDevice(it), await onOtherDevice(it)];
  const idOf = async ({ client }) => (await client.getSession()).data.session.id;
  const ids = { it: await idOf(it), laptop: await idOf(laptop), phone: await idOf(phone) };
  const listed = async () => {
    const { data, error } = await it.client.listSessions();
    assert.equal(error, null);
    for (const session of data) assert.ok(session.expiresAt instanceof Date && session.userId === it.user.id);
    return new Map(data.map((session) => [session.id, session.token]));
  };
  const list = await listed();
  assert.deepEqual([...list.keys()].sort(), Object.values(ids).sort());
  // The list has the token of the caller's own session. Each other session has a handle that can only revoke it.
  assert.equal(list.get(ids.it), it.token);
  assert.ok(![laptop.token, phone.token].some((token) => [...list.values()].includes(token)));
  assert.deepEqual((await it.client.revokeSession({ token: list.get(ids.laptop) })).data, { status: true });
  assert.deepEqual(await laptop.client.getSession(), signedOut);
  assert.equal(laptop.browser.cookie(TOKEN), undefined);
  assert.deepEqual([...(await listed()).keys()].sort(), [ids.it, ids.phone].sort());
  const eve = await newUser();
  assert.deepEqual((await eve.client.revokeSession({ token: list.get(ids.phone) })).data, { status: true });
  assert.deepEqual([...(await listed()).keys()].sort(), [ids.it, ids.phone].sort());
  assert.deepEqual((await it.client.revokeOtherSessions()).data, { status: true });
  assert.deepEqual(await phone.client.getSession(), signedOut);
  assert.deepEqual([...(await listed()).values()], [it.token]);
  assert.deepEqual((await it.client.revokeSessions()).data, { status: true });
  assert.deepEqual(await it.client.getSession(), signedOut);
  refused(await it.client.listSessions(), 401, "UNAUTHORIZED", "Unauthorized");
});

test("change password: every session ends, and the browser continues with a new one", async () => {
  const it = await newUser();
  const [other, another] = [await onOtherDevice(it), await onOtherDevice(it)];
  const change = (body) => it.client.changePassword({ currentPassword: PASSWORD, newPassword: "another password", ...body });
  refused(await change({ currentPassword: "wrong password" }), 400, "INVALID_PASSWORD", "Invalid password");
  refused(await change({ newPassword: "short" }), 400, "PASSWORD_TOO_SHORT", "Password too short");
  const kept = await change({});
  assert.equal(kept.data.token, null);
  assert.equal(kept.data.user.email, it.email);
  assert.deepEqual(await other.client.getSession(), signedOut);
  assert.deepEqual(await another.client.getSession(), signedOut);
  const renewed = (await it.client.getSession()).data.session.token;
  assert.notEqual(renewed, it.token);
  const fresh = await change({ currentPassword: "another password", newPassword: PASSWORD, revokeOtherSessions: true });
  assert.match(fresh.data.token, /^[a-zA-Z0-9]+$/);
  assert.notEqual(fresh.data.token, renewed);
  assert.equal((await it.client.getSession()).data.session.token, fresh.data.token);
});

test("update user: name and image, but not the address", async () => {
  const it = await newUser();
  const user = async () => (await it.client.getSession()).data.user;
  assert.deepEqual((await it.client.updateUser({ name: "Ada L.", image: "https://example.com/a.png" })).data, { status: true });
  assert.deepEqual([(await user()).name, (await user()).image], ["Ada L.", "https://example.com/a.png"]);
  assert.equal((await it.client.updateUser({ image: null })).error, null);
  assert.equal((await user()).image, null);
  assert.ok((await user()).updatedAt > it.user.updatedAt);
  refused(await it.client.updateUser({ nickname: "Ada" }), 400, undefined, "No fields to update");
  const rejected = await it.client.updateUser({ email: address() });
  refused(rejected, 400, "EMAIL_CAN_NOT_BE_UPDATED", "Email can not be updated");
});

test("accounts, the mails of a verification and of a change of address respond, and deletion is off", async () => {
  const it = await newUser();
  const { data } = await it.client.listAccounts();
  assert.deepEqual(data.map(({ providerId, accountId, scopes }) => [providerId, accountId, scopes]), [["credential", it.user.id, []]]);
  const mail = await it.client.sendVerificationEmail({ email: it.email, callbackURL: "/welcome" });
  assert.deepEqual(mail.data, { status: true });
  refused(await it.client.sendVerificationEmail({ email: address() }), 400, "EMAIL_MISMATCH", "Email mismatch");
  const verified = await it.client.verifyEmail({ query: { token: "invalid" } });
  refused(verified, 401, "INVALID_TOKEN", "Invalid token");
  assert.deepEqual(await it.client.changeEmail({ newEmail: address() }), { data: { status: true }, error: null });
  refused(await it.client.changeEmail({ newEmail: it.email }), 400, undefined, "Email is the same");
  const deleted = await it.client.deleteUser({ password: PASSWORD });
  assert.equal(deleted.error.status, 404);
  assert.notEqual((await it.client.getSession()).data, null);
});

test("rememberMe: false lasts until the browser closes, at most a day", async () => {
  const it = await newUser();
  const { browser, client } = device();
  await client.signIn.email({ email: it.email, password: PASSWORD, rememberMe: false });
  const cookies = browser.jar.getCookiesSync(SERVER);
  assert.deepEqual(cookies.map(({ key, maxAge }) => [key, maxAge]).sort(), [
    ["better-auth.dont_remember", null],
    [TOKEN, null],
  ]);
  const { session } = (await client.getSession()).data;
  assert.ok(Math.abs(session.expiresAt - session.createdAt - DAY) < 2000);
});

test("sign-in with a callback URL redirects there, if it is one of ours", async () => {
  const it = await newUser();
  const signIn = (callbackURL) => device().client.signIn.email({ email: it.email, password: PASSWORD, callbackURL });
  const { data } = await signIn("/dashboard");
  assert.deepEqual([data.redirect, data.url], [true, "/dashboard"]);
  refused(await signIn("https://untrusted.example/"), 403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
});

test("the token of the jwt plugin is accepted by our own routes", async () => {
  const it = await newUser();
  const { data, error } = await it.client.token();
  assert.equal(error, null);
  const headers = { Authorization: `Bearer ${data.token}`, "Content-Type": "application/json" };
  const session = await (await fetch(`${SERVER}/api/auth/session`, { headers })).json();
  assert.equal(session.user.id, it.user.id);
  const task = await fetch(`${SERVER}/api/tasks`, { method: "POST", headers, body: '{"title":"Buy milk"}' });
  assert.equal(task.status, 201);
  assert.equal((await it.client.revokeSessions()).error, null);
  assert.equal((await fetch(`${SERVER}/api/auth/session`, { headers })).status, 401);
});

test("a page of an allowed origin has its session, a page of another origin has none", async () => {
  const it = await newUser(APP);
  assert.equal((await it.client.getSession()).data.user.id, it.user.id);
  assert.deepEqual((await it.client.updateUser({ name: "Ada" })).data, { status: true });
  assert.deepEqual((await it.client.signOut()).data, { success: true });
  const untrusted = device(UNTRUSTED);
  await assert.rejects(untrusted.client.signIn.email({ email: it.email, password: PASSWORD }), /CORS/);
  await assert.rejects(untrusted.client.getSession(), /CORS/);
});

test("a request of another origin is rejected even with the cookie", async () => {
  const it = await newUser();
  const send = (path, headers) =>
    fetch(`${SERVER}/api/auth${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ email: it.email, password: PASSWORD }),
    });
  const cookie = it.browser.jar.getCookieStringSync(SERVER);
  for (const [headers, code] of [
    [{ cookie, origin: UNTRUSTED }, "INVALID_ORIGIN"],
    [{ cookie, origin: "null" }, "MISSING_OR_NULL_ORIGIN"],
    [{ cookie }, "MISSING_OR_NULL_ORIGIN"],
    [{ cookie: "theme=dark" }, "MISSING_OR_NULL_ORIGIN"],
  ]) {
    for (const path of ["/sign-out", "/revoke-sessions", "/sign-in/email"]) {
      const response = await send(path, headers);
      assert.deepEqual([response.status, (await response.json()).code], [403, code], path);
    }
  }
  assert.notEqual((await it.client.getSession()).data, null);
});
