// The pages of the links in mails: what they send, say, and keep. The responses to their tokens are fixed here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { alertText, eventually, focused, heading, inBrowser, newContext, newUser, problem, respond, signIn, signUp, signedIn, tabTo } from "./harness.mjs";

const TOKEN = "AQEAAAAA.c2lnbmF0dXJl";
const USER = { id: "u1", email: "ada@example.com", name: null, email_verified: true };
/** The pages: their path, the address of the API that they call, its response, and their texts. */
const PAGES = [
  { path: "/verify", api: "**/api/auth/email-verification/confirm", result: { user: USER }, heading: "Confirm your email address", button: "Confirm address", done: "Your address is confirmed", german: "E-Mail-Adresse bestätigen" },
  { path: "/change-email", api: "**/api/auth/email-change/confirm", result: { user: USER }, heading: "Change your email address", button: "Use this address", done: "Your address is changed", german: "E-Mail-Adresse ändern" },
  { path: "/undo-email-change", api: "**/api/auth/email-change/undo", result: { success: true }, heading: "Undo the change of your address", button: "Undo the change", done: "The change is undone", german: "Änderung der Adresse rückgängig machen" },
  { path: "/delete-account", api: "**/api/auth/delete-user", result: { success: true }, heading: "Delete your account", button: "Delete my account", done: "Your account is deleted", german: "Konto löschen" },
];
let server;
const open = inBrowser((started) => ({ server } = started));

async function pageAt(address, { locale = "en-GB", ...options } = {}) {
  const page = await (await open(newContext, server, { locale, ...options })).newPage();
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const kept = (page) => page.evaluate(() => location.href + document.documentElement.outerHTML + JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));

for (const { path, api, result, heading: title, button, done, german } of PAGES) {
  test(`${path} sends nothing before the button is pressed, and then the token once, in the body alone`, async () => {
    const context = await open(newContext, server);
    const page = await context.newPage();
    const calls = [];
    context.on("request", (request) => new URL(request.url()).pathname.startsWith("/api") && calls.push(request.url()));
    await page.goto("/sign-in");
    await page.goto(`${path}#${TOKEN}`, { waitUntil: "networkidle" });
    await heading(page, title);
    assert.equal(page.url(), server.base + path);
    assert(!(await kept(page)).includes(TOKEN));
    assert.deepEqual(calls, []);

    const bodies = [];
    await page.route(api, (route) => {
      bodies.push(route.request().postDataJSON());
      assert(!`${route.request().url()}${JSON.stringify(route.request().headers())}`.includes(TOKEN));
      return respond(200, result)(route);
    });
    await tabTo(page, button);
    await page.keyboard.press("Enter");
    await heading(page, done);
    assert.deepEqual(bodies, [{ token: TOKEN }]);
    // The focus is on the link to the next page, and the result is announced.
    assert.equal(await page.evaluate(() => document.activeElement.matches("main a.button[href^='/']")), true);
    const said = await page.locator("#why").textContent();
    await eventually(async () => (await page.locator("#announcer").textContent()) === said, "the result is announced");
    assert(!(await kept(page)).includes(TOKEN));
    await page.reload();
    await heading(page, "This link does not work");
  });

  test(`${path} says that a link was used or has expired, and where to go`, async () => {
    const page = await pageAt(`${path}#${TOKEN}`);
    await page.route(api, path === "/delete-account" ? problem(404, "INVALID_TOKEN") : problem(400, "INVALID_OR_EXPIRED_TOKEN"));
    await page.getByRole("button", { name: button }).click();
    await heading(page, "This link does not work");
    assert.match(await alertText(page), /used already or has expired/);
    assert.equal(await page.evaluate(() => document.activeElement.matches("main a.button[href^='/']")), true);
  });

  test(`${path} without a token says so, and another link in the same tab works`, async () => {
    const page = await pageAt(path);
    assert.match(await alertText(page), /This address is incomplete/);
    await page.evaluate((token) => (location.hash = token), TOKEN);
    await heading(page, title);
    assert.equal(page.url(), server.base + path);
  });

  test(`${path} keeps the link after a fault of the server or the network`, async () => {
    const page = await pageAt(`${path}#${TOKEN}`);
    for (const [fault, expected] of [[problem(503, "DATABASE_UNAVAILABLE", { "Retry-After": "60" }), /in 60 s/], [problem(429, "TOO_MANY_REQUESTS", { "Retry-After": "600" }), /in 10 minutes/], [(route) => route.abort(), /cannot be reached/]]) {
      await page.route(api, fault);
      await page.getByRole("button", { name: button }).click();
      await page.getByRole("alert").filter({ hasText: expected }).waitFor();
    }
    await page.route(api, respond(200, result));
    await page.getByRole("button", { name: "Try again" }).click();
    await heading(page, done);
  });

  test(`${path} leads to the callback after a success, and with an error after a failure`, async () => {
    for (const [response, expected] of [[respond(200, result), "/healthz?a=b#c"], [problem(path === "/delete-account" ? 404 : 400, path === "/delete-account" ? "INVALID_TOKEN" : "INVALID_OR_EXPIRED_TOKEN"), "/healthz?a=b&error=INVALID_TOKEN#c"]]) {
      const page = await pageAt(`${path}?callbackURL=${encodeURIComponent("/healthz?a=b#c")}#${TOKEN}`);
      assert.equal(page.url(), `${server.base}${path}?callbackURL=${encodeURIComponent("/healthz?a=b#c")}`);
      await page.route(api, response);
      await page.getByRole("button", { name: button }).click();
      if (expected.includes("error")) await page.getByRole("link", { name: "Continue" }).click();
      await page.waitForURL(server.base + expected);
    }
  });

  test(`${path} is in German in a German browser`, async () => {
    const page = await pageAt(`${path}#${TOKEN}`, { locale: "de-AT" });
    await heading(page, german);
    assert.deepEqual([await page.evaluate(() => document.documentElement.lang), await page.title()], ["de", `${german} · Tasks`]);
    await page.route(api, problem(503, "DATABASE_UNAVAILABLE", { "Retry-After": "60" }));
    await page.locator("form button").last().click();
    await page.getByText("Der Server ist gerade nicht bereit. Bitte versuchen Sie es in 60 s noch einmal.").waitFor();
    await page.route(api, respond(200, result));
    await page.getByRole("button", { name: "Noch einmal versuchen" }).click();
    await page.locator("#why").waitFor();
    assert.match(await page.locator("#why").textContent(), path === "/undo-email-change" ? /vorige Adresse/ : path === "/delete-account" ? /gelöscht/ : /ada@example\.com/);
  });
}

test("the page that confirms an address asks for the password only when the server needs it, and reports a wrong one", async () => {
  for (const [locale, missing, wrong] of [["en-GB", "Password is required.", "The server said PASSWORD_REQUIRED."], ["de-DE", "Passwort fehlt.", "Das Passwort ist falsch."]]) {
    const page = await pageAt(`/verify#${TOKEN}`, { locale });
    const bodies = [];
    await page.route("**/email-verification/confirm", (route) => {
      bodies.push(route.request().postDataJSON());
      return problem(403, "PASSWORD_REQUIRED")(route);
    });
    const field = page.locator("[name=password]");
    const submit = page.locator("form button");
    assert.equal(await field.isVisible(), false);
    await submit.click();
    await field.waitFor();
    assert.equal(await focused(page), "password");
    await submit.click();
    await page.locator("#error-password").filter({ hasText: missing }).waitFor();
    await field.fill("not the password");
    await page.keyboard.press("Enter");
    await page.locator("#error-password").filter({ hasText: wrong }).waitFor();
    assert.deepEqual([await focused(page), await field.getAttribute("aria-invalid"), await field.inputValue()], ["password", "true", "not the password"]);
    assert.deepEqual(bodies, [{ token: TOKEN }, { token: TOKEN, password: "not the password" }]);
  }
});

test("a session that has expired does not hinder the confirmation of an address: the password is asked for", async () => {
  const { page } = await open(signedIn, server);
  await page.goto(`/verify#${TOKEN}`);
  await page.route("**/api/auth/refresh", problem(401, "SESSION_EXPIRED"));
  await page.route("**/email-verification/confirm", problem(401, "TOKEN_EXPIRED"));
  await page.getByRole("button", { name: "Confirm address" }).click();
  await page.getByRole("navigation").waitFor({ state: "hidden" });
  await heading(page, "Confirm your email address");
  await page.getByRole("button", { name: "Confirm address" }).click();
  await page.getByLabel("Password").waitFor();
});

test("a user who leaves the page without loading another document leaves no token behind", async () => {
  const page = await pageAt(`/verify#${TOKEN}`);
  await page.getByRole("link", { name: "Tasks", exact: true }).click();
  await heading(page, /calm/);
  await page.goBack();
  await heading(page, "This link does not work");
});

test("the page of a link stays when a user signs in in another tab, and keeps its token", async () => {
  const page = await pageAt(`/verify#${TOKEN}`);
  const user = newUser();
  await signUp(await page.context().newPage(), user);
  await page.getByRole("navigation").waitFor();
  await heading(page, "Confirm your email address");
  const bodies = [];
  await page.route("**/email-verification/confirm", (route) => {
    bodies.push(route.request().postDataJSON());
    return respond(200, { user: USER })(route);
  });
  await page.getByRole("button", { name: "Confirm address" }).click();
  await heading(page, "Your address is confirmed");
  assert.deepEqual(bodies, [{ token: TOKEN }]);
});

test("a callback counts only in the address with which the server has sent the page", async () => {
  const page = await pageAt("/sign-in");
  const callback = encodeURIComponent("https://evil.example/");
  await page.evaluate(([address, token]) => {
    history.pushState(null, "", address);
    location.hash = token;
  }, [`/verify?callbackURL=${callback}`, TOKEN]);
  await heading(page, "Confirm your email address");
  await page.route("**/email-verification/confirm", respond(200, { user: USER }));
  await page.getByRole("button", { name: "Confirm address" }).click();
  await heading(page, "Your address is confirmed");
  assert.equal(await page.locator("main a.button").getAttribute("href"), "/sign-in");
});

test("the page for a new password at an app is a button, not a link, and the token follows only after it", async () => {
  const page = await pageAt(`/reset?callbackURL=${encodeURIComponent("/healthz?token=old&a=b#c")}#${TOKEN}`);
  await heading(page, "Choose a new password");
  assert(!(await kept(page)).includes(TOKEN));
  assert.equal(await page.locator("main a").count(), 0);
  await tabTo(page, "Continue");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.base}/healthz?token=${TOKEN}&a=b#c`);
});

test("an account page in German shows the address, its state, and errors at their fields", async () => {
  const { page, context, user } = await open(signedIn, server);
  const state = await context.storageState();
  const german = await (await open(newContext, server, { locale: "de-DE", storageState: state })).newPage();
  await german.goto("/account");
  await heading(german, "Ihr Konto");
  await german.getByRole("link", { name: "Aufgaben" }).waitFor();
  await german.locator("#state").filter({ hasText: "nicht bestätigt" }).waitFor();
  const form = german.locator("#change-email");
  await form.getByLabel("Neue Adresse").fill("nowhere");
  await form.getByRole("button").click();
  await form.locator("#error-new_email").filter({ hasText: "Neue Adresse ist ungültig." }).waitFor();
  await form.getByLabel("Neue Adresse").fill(user.email);
  await form.getByLabel("Passwort").fill(user.password);
  await form.getByRole("button").click();
  await form.locator("#error-new_email").filter({ hasText: "Neue Adresse ist schon die Adresse des Kontos." }).waitFor();
  await form.getByLabel("Passwort").fill("not the password");
  await form.getByLabel("Neue Adresse").fill("new@example.com");
  await form.getByRole("button").click();
  await form.locator("#error-password").filter({ hasText: "Das Passwort ist falsch." }).waitFor();
  await german.getByRole("button", { name: "Abmelden" }).click();
  await german.locator("main").getByText("Sie sind abgemeldet.").waitFor();
  await signIn(page, user);
});
