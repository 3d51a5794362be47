// A scanner of mails opens each link, and runs the scripts of its page, before the user opens it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { PASSWORD, alertText, heading, inBrowser, linkIn, newContext, newUser, tokenIn } from "./harness.mjs";

const NEW_PASSWORD = "a longer walk on the beach";
// Stands for an app of another origin that uses Better Auth's client. Its page shows the requested path and query.
const app = createServer((request, response) => response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>App</title><h1>${encodeURI(request.url)}</h1>`));
app.listen(0, "127.0.0.1");
await once(app, "listening");
const appOrigin = `http://127.0.0.1:${app.address().port}`;
let server;
const open = inBrowser((started) => ({ server } = started), { ALLOWED_ORIGINS: appOrigin, BETTER_AUTH_DELETE_USER: "true" });
after(() => app.close());

const newPage = async (options) => (await open(newContext, server, options)).newPage();
const press = (page, name) => page.getByRole("button", { name }).click();

/** Registers a user. Returns the user with an access token and the mail for the confirmation of the address. */
async function registered() {
  const user = newUser();
  const { access_token: token } = await server.call("POST", "/api/auth/register", user);
  return { ...user, token, verification: await server.mail("email_verification", user.email) };
}

/** Calls Better Auth's API as its client in the app does, and returns the response. */
function betterAuth(path, body, cookie) {
  const headers = { "Content-Type": "application/json", Origin: appOrigin, ...(cookie && { Cookie: cookie }) };
  return fetch(`${server.base}/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Signs in with Better Auth's API, and returns the session cookie as `NAME=VALUE`. */
async function betterAuthCookie({ email }, password = PASSWORD) {
  const response = await betterAuth("/sign-in/email", { email, password });
  return response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).find((cookie) => /session_token=/.test(cookie));
}

async function addCookie(context, cookie) {
  const [name, value] = cookie.split(/=(.*)/s);
  await context.addCookies([{ name, value, url: server.base }]);
}

/** Makes all sessions older than a day: with a younger session, an account is deleted without a mail. */
async function ageSessions() {
  const code = `import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=10); c.execute("UPDATE sessions SET created_at = strftime('%Y-%m-%d %H:%M:%f000', created_at, '-2 days')"); c.commit()`;
  await promisify(execFile)("python3", ["-c", code, join(server.folder, "auth.db")]);
}

async function changeRequested() {
  const user = await registered();
  const newEmail = `new-${user.email}`;
  await server.call("POST", "/api/auth/email-change", { password: PASSWORD, new_email: newEmail }, user.token);
  return { user, newEmail, mail: await server.mail("email_change", newEmail) };
}

/**
 * The kinds of links. `prepare` causes the mail, and returns its link and what the test needs later. `title` is the
 * heading of the page. `use` does what the user of the link does, and checks the effect.
 */
const KINDS = {
  "password reset": {
    title: "Choose a new password",
    async prepare() {
      const user = await registered();
      await server.call("POST", "/api/auth/password-reset", { email: user.email });
      return { user, link: linkIn(await server.mail("password_reset", user.email)) };
    },
    async use(page, { user }) {
      await page.getByLabel("New password").fill(NEW_PASSWORD);
      await press(page, "Set password");
      await heading(page, "Your tasks");
      await server.login({ email: user.email, password: NEW_PASSWORD });
    },
  },
  "password reset of an app": {
    title: "Choose a new password",
    async prepare() {
      const user = await registered();
      const { status } = await betterAuth("/request-password-reset", { email: user.email, redirectTo: `${appOrigin}/new?a=b#c` });
      assert.equal(status, 200);
      return { user, link: linkIn(await server.mail("password_reset", user.email)) };
    },
    async use(page, { user, link }) {
      await page.getByText(new URL(appOrigin).host).waitFor();
      await press(page, "Continue");
      await page.waitForURL((url) => url.origin === appOrigin);
      const token = new URL(link).hash.slice(1);
      assert.equal(page.url(), `${appOrigin}/new?a=b&token=${encodeURIComponent(token)}#c`);
      const response = await betterAuth("/reset-password", { newPassword: NEW_PASSWORD, token });
      assert.equal(response.status, 200);
      await server.login({ email: user.email, password: NEW_PASSWORD });
    },
  },
  verification: {
    title: "Confirm your email address",
    async prepare() {
      const user = await registered();
      return { user, link: linkIn(user.verification) };
    },
    async use(page, { user }) {
      await press(page, "Confirm address");
      await page.getByLabel("Password").fill(PASSWORD);
      await press(page, "Confirm address");
      await heading(page, "Your address is confirmed");
      await page.getByText(`${user.email} is confirmed`).first().waitFor();
      assert.equal((await server.login(user)).user.email_verified, true);
    },
  },
  "verification for an app": {
    title: "Confirm your email address",
    async prepare() {
      const user = await registered();
      const { status } = await betterAuth("/send-verification-email", { email: user.email, callbackURL: `${appOrigin}/welcome?a=b` });
      assert.equal(status, 200);
      return { user, link: linkIn(await server.mail("email_verification", user.email)) };
    },
    async use(page, { user }) {
      await press(page, "Confirm address");
      await page.getByLabel("Password").fill(PASSWORD);
      await press(page, "Confirm address");
      await page.waitForURL(`${appOrigin}/welcome?a=b`);
      assert.equal((await server.login(user)).user.email_verified, true);
    },
  },
  "change of address": {
    title: "Change your email address",
    async prepare() {
      const { user, newEmail, mail } = await changeRequested();
      return { user, newEmail, link: linkIn(mail) };
    },
    async use(page, { newEmail }) {
      await press(page, "Use this address");
      await heading(page, "Your address is changed");
      await page.getByText(`is now ${newEmail}`).first().waitFor();
      assert.equal((await server.login({ email: newEmail, password: PASSWORD })).user.email_verified, true);
    },
  },
  "undo of a change": {
    title: "Undo the change of your address",
    async prepare() {
      const { user, newEmail, mail } = await changeRequested();
      await server.call("POST", "/api/auth/email-change/confirm", { token: tokenIn(mail) });
      return { user, newEmail, link: linkIn(await server.mail("email_changed", user.email)) };
    },
    async use(page, { user, newEmail }) {
      await page.getByText("Every device is signed out").waitFor();
      await press(page, "Undo the change");
      await heading(page, "The change is undone");
      await assert.rejects(server.login({ email: newEmail, password: PASSWORD }), /401/);
      await page.goto(linkIn(await server.mail("password_reset", user.email)));
      await page.getByLabel("New password").fill(NEW_PASSWORD);
      await press(page, "Set password");
      await heading(page, "Your tasks");
    },
  },
  deletion: {
    title: "Delete your account",
    async prepare() {
      const user = await registered();
      const cookie = await betterAuthCookie(user);
      await ageSessions();
      const response = await betterAuth("/delete-user", { callbackURL: `${appOrigin}/bye` }, cookie);
      assert.match(await response.text(), /Verification email sent/);
      return { user, cookie, link: linkIn(await server.mail("account_deletion", user.email)) };
    },
    async use(page, { user, cookie }) {
      await press(page, "Delete my account");
      await page.getByText("You are not signed in to this account in this browser").first().waitFor();
      await server.login(user);
      await addCookie(page.context(), cookie);
      await press(page, "Delete my account");
      await page.waitForURL(`${appOrigin}/bye`);
      await assert.rejects(server.login(user), /401/);
    },
  },
};

/**
 * Opens the link like a program that checks mails: runs the scripts of the page, and follows its links. Checks that
 * this sends only `GET`s, none to `/api/auth`, that the token stays in the browser, and that the page does not keep it.
 */
async function scan(link, title) {
  const token = new URL(link).hash.slice(1);
  const scanner = await open(newContext, server);
  const requests = [];
  scanner.on("request", (request) => requests.push(request));
  const page = await scanner.newPage();
  await page.goto(link, { waitUntil: "networkidle" });
  await heading(page, title);
  const addresses = await page.evaluate(() => Array.from(document.links, ({ href }) => href));
  for (const address of addresses) await (await scanner.newPage()).goto(address, { waitUntil: "networkidle" });
  assert(requests.length > 5);
  for (const request of requests) {
    assert.equal(request.method(), "GET", request.url());
    assert(!new URL(request.url()).pathname.startsWith("/api/auth"), request.url());
    assert(!`${request.url().split("#")[0]} ${JSON.stringify(request.headers())}`.includes(token), "the token left the browser");
  }
  const kept = await page.evaluate(() => location.href + document.documentElement.outerHTML + JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert(!kept.includes(token), "the token is kept");
  await Promise.all(scanner.pages().map((opened) => opened.close()));
}

for (const [kind, { title, prepare, use }] of Object.entries(KINDS)) {
  test(`a scanner that opens the link and runs its scripts uses up nothing, and the user then succeeds, once: ${kind}`, async () => {
    const prepared = await prepare();
    await scan(prepared.link, title);
    const page = await newPage();
    await page.goto(prepared.link);
    await heading(page, title);
    await use(page, prepared);
    if (kind === "password reset of an app" || kind === "deletion") return;

    // The link does not work a second time.
    const again = await newPage();
    await again.goto(prepared.link);
    await again.getByRole("heading", { level: 1 }).waitFor();
    const field = again.locator("[name=new_password]");
    if (await field.isVisible()) await field.fill(NEW_PASSWORD);
    await again.locator("form button").click();
    await heading(again, "This link does not work");
    assert.match(await alertText(again), /used already or has expired/);
    const next = again.locator("main a.button");
    assert.match(await next.getAttribute("href"), kind === "verification for an app" ? /\/welcome\?a=b&error=INVALID_TOKEN$/ : /^\//);
  });
}
