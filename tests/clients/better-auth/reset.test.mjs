// Tests the reset of a forgotten password, with the client of Better Auth and the mails that the server writes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthClient } from "better-auth/client";
import { APP, Browser, PASSWORD, SERVER, UNTRUSTED, address } from "./browser.mjs";
import { linkIn, mailsTo, nextMail } from "./mails.mjs";

const NEW_PASSWORD = "another good password";
const REQUESTED = { status: true, message: "If this email exists in our system, check your email for the reset link" };

function device(page) {
  const browser = new Browser(page);
  return { browser, client: createAuthClient({ baseURL: SERVER, fetchOptions: { customFetchImpl: browser.fetch } }) };
}

async function newUser(page) {
  const it = { ...device(page), email: address() };
  const { error } = await it.client.signUp.email({ email: it.email, password: PASSWORD, name: "Ada" });
  assert.equal(error, null);
  return it;
}

function refused({ data, error }, status, code, message) {
  assert.equal(data, null);
  assert.deepEqual([error.status, error.code, error.message], [status, code, message]);
}

const signIn = (email, password) => device().client.signIn.email({ email, password });

test("a page of an allowed origin resets the password with the token of the mail", async () => {
  const it = await newUser(APP);
  const page = device(APP);
  const redirectTo = `${APP}/set-password?theme=dark`;
  assert.deepEqual((await page.client.requestPasswordReset({ email: it.email, redirectTo })).data, REQUESTED);
  const link = linkIn(await nextMail("password_reset", it.email));
  // The link opens the server's page, which then passes the token to the page of the app in `redirectTo`.
  assert.equal(link.origin + link.pathname, `${SERVER}/reset`);
  assert.equal(link.searchParams.get("callbackURL"), redirectTo);
  const token = link.hash.slice(1);

  refused(await page.client.resetPassword({ newPassword: "short", token }), 400, "PASSWORD_TOO_SHORT", "Password too short");
  const { data, error } = await page.client.resetPassword({ newPassword: NEW_PASSWORD, token });
  assert.deepEqual([data, error], [{ status: true }, null]);
  // The reset signs no user in, and every earlier session has ended.
  assert.deepEqual(page.browser.jar.getCookiesSync(SERVER), []);
  assert.deepEqual(await it.client.getSession(), { data: null, error: null });
  refused(await signIn(it.email, PASSWORD), 401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
  assert.equal((await signIn(it.email, NEW_PASSWORD)).data.user.emailVerified, true);
  await nextMail("password_changed", it.email);

  refused(await page.client.resetPassword({ newPassword: PASSWORD, token }), 400, "INVALID_TOKEN", "Invalid token");
});

test("an unknown address gets the same response, and no mail", async () => {
  const [it, unknown] = [await newUser(), address()];
  for (const email of [unknown, it.email]) {
    assert.deepEqual((await device().client.requestPasswordReset({ email })).data, REQUESTED);
  }
  const link = linkIn(await nextMail("password_reset", it.email));
  assert.equal(link.search, "");
  assert.deepEqual(await mailsTo("password_reset", unknown), []);
});

test("a mail leads to no other site, and an invalid token resets nothing", async () => {
  const it = await newUser();
  const request = device().client.requestPasswordReset({ email: it.email, redirectTo: `${UNTRUSTED}/set` });
  refused(await request, 403, "INVALID_REDIRECT_URL", "Invalid redirectURL");
  for (const token of ["x", undefined]) {
    const reset = device().client.resetPassword({ newPassword: NEW_PASSWORD, token });
    refused(await reset, 400, "INVALID_TOKEN", "Invalid token");
  }
  assert.equal((await signIn(it.email, PASSWORD)).error, null);
});

test("a link of Better Auth's form leads to the page of the server and uses up nothing", async () => {
  const it = await newUser();
  await it.client.requestPasswordReset({ email: it.email });
  const token = linkIn(await nextMail("password_reset", it.email)).hash.slice(1);
  const follow = (text) => fetch(`${SERVER}/api/auth/reset-password/${text}?callbackURL=%2Fset`, { redirect: "manual" });
  for (let repetition = 0; repetition < 2; repetition += 1) {
    const response = await follow(token);
    assert.deepEqual([response.status, response.headers.get("location")], [302, `${SERVER}/reset?callbackURL=%2Fset#${token}`]);
  }
  assert.equal((await follow("x")).headers.get("location"), `${SERVER}/set?error=INVALID_TOKEN`);
  assert.deepEqual((await device().client.resetPassword({ newPassword: NEW_PASSWORD, token })).data, { status: true });
});
