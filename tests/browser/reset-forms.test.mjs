// The pages for a forgotten password: what they send, say, and keep. The responses to their forms are fixed here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accepted, alertText, eventually, focused, heading, inBrowser, newContext, newUser, problem, signUp, signedIn, tabTo } from "./harness.mjs";

const TOKEN = "AQEAAAAA.c2lnbmF0dXJl";
const PASSWORD = "a longer walk on the beach";
const REQUEST = "**/api/auth/password-reset";
const CONFIRM = "**/api/auth/password-reset/confirm";
let server;
const open = inBrowser((started) => ({ server } = started));

/** Opens a page at the address, in a browser with the language `locale`. */
async function pageAt(address, { locale = "en-GB", ...options } = {}) {
  const page = await (await open(newContext, server, { locale, ...options })).newPage();
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

/** Opens a page, and requests a mail, so that the page shows the form for the code. */
async function atCode(options) {
  const page = await pageAt("/forgot-password", options);
  await page.route(REQUEST, accepted());
  await page.locator("[name=email]").fill("ada@example.com");
  await page.locator("[name=email]").press("Enter");
  await page.locator("[name=code]").waitFor();
  return page;
}

const submit = (page) => page.locator("form button").first().click();

test("loading the page of a link sends nothing, and takes the token out of the address and the history", async () => {
  const context = await open(newContext, server);
  const calls = [];
  context.on("request", (request) => new URL(request.url()).pathname.startsWith("/api") && calls.push(request.url()));
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.goto(`/reset#${TOKEN}`, { waitUntil: "networkidle" });
  await heading(page, "Choose a new password");
  assert.equal(await focused(page), "new_password");
  const kept = () => page.evaluate(() => location.href + document.documentElement.outerHTML + JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert(!(await kept()).includes(TOKEN));
  await page.goBack();
  await heading(page, "Sign in");
  await page.goForward();
  await heading(page, "This link does not work");
  assert(!(await kept()).includes(TOKEN));
  assert.deepEqual(calls, []);
});

test("a user who leaves the page without loading another document leaves no token behind", async () => {
  const page = await pageAt(`/reset#${TOKEN}`);
  await page.getByRole("link", { name: "Tasks", exact: true }).click();
  await heading(page, /calm/);
  await page.goBack();
  await heading(page, "This link does not work");
});

test("the button sends the token once, in the body of the request alone", async () => {
  const page = await pageAt(`/reset#${TOKEN}`);
  const bodies = [];
  await page.route(CONFIRM, (route) => {
    bodies.push(route.request().postDataJSON());
    assert(!`${route.request().url()}${JSON.stringify(route.request().headers())}`.includes(TOKEN));
    return problem(400, "INVALID_OR_EXPIRED_TOKEN")(route);
  });
  await page.getByLabel("New password").fill(PASSWORD);
  await submit(page);
  await heading(page, "This link does not work");
  assert.match(await alertText(page), /used already or has expired/);
  assert.equal(await focused(page), "Request a new mail");
  assert.deepEqual(bodies, [{ token: TOKEN, new_password: PASSWORD }]);
});

test("an address without a token offers a new mail", async () => {
  const page = await pageAt("/reset");
  assert.match(await alertText(page), /This address is incomplete/);
  await page.getByRole("link", { name: "Request a new mail" }).click();
  await heading(page, "Forgot your password");
  assert.equal(await focused(page), "email");
});

test("another link that is opened in the same tab replaces the first", async () => {
  const page = await pageAt("/reset");
  await page.evaluate((token) => (location.hash = token), TOKEN);
  await heading(page, "Choose a new password");
  assert.equal(page.url(), `${server.base}/reset`);
});

test("a password that is refused is reported at its field, and the link still works", async () => {
  const page = await pageAt(`/reset#${TOKEN}`);
  const field = page.getByLabel("New password");
  for (const [code, message] of [["unacceptable_password", "must be at least 8 characters"], ["common_password", "is one of the passwords that are guessed first; choose another"]]) {
    await page.route(CONFIRM, problem(422, "VALIDATION_ERROR", { errors: [{ field: "new_password", code, message }] }));
    await field.fill("password");
    await submit(page);
    await page.locator("#error-new_password").filter({ hasText: `New password ${message}.` }).waitFor();
    assert.deepEqual(
      [await focused(page), await field.getAttribute("aria-invalid"), await field.getAttribute("aria-describedby"), await field.inputValue()],
      ["new_password", "true", "error-new_password", "password"],
    );
  }
});

for (const [locale, reason, advice] of [["en-GB", /The server said TOO_MANY_REQUESTS/, /in 10 minutes/], ["de-AT", /Zu viele Anfragen/, /in 10 Minuten/]]) {
  test(`too many requests for mails say when to try again: ${locale}`, async () => {
    const page = await pageAt("/forgot-password", { locale });
    await page.route(REQUEST, problem(429, "TOO_MANY_REQUESTS", { "Retry-After": "600" }));
    await page.locator("[name=email]").fill("ada@example.com");
    await submit(page);
    await page.getByRole("alert").waitFor();
    assert.match(await alertText(page), reason);
    assert.match(await alertText(page), advice);
    assert.equal(await page.locator("[name=email]").inputValue(), "ada@example.com");
    await page.route(REQUEST, accepted());
    await page.getByRole("alert").getByRole("button").click();
    await page.locator("[name=code]").waitFor();
  });
}

test("a server without its database, and no network, keep the link and the typed password", async () => {
  const page = await pageAt(`/reset#${TOKEN}`);
  await page.getByLabel("New password").fill(PASSWORD);
  for (const [fault, expected] of [[problem(503, "DATABASE_UNAVAILABLE", { "Retry-After": "60" }), /in 60 s/], [(route) => route.abort(), /cannot be reached/]]) {
    await page.route(CONFIRM, fault);
    await submit(page);
    await page.getByRole("alert").filter({ hasText: expected }).waitFor();
    assert.equal(await page.getByLabel("New password").inputValue(), PASSWORD);
  }
  const bodies = [];
  await page.route(CONFIRM, (route) => (bodies.push(route.request().postDataJSON()), problem(400, "INVALID_OR_EXPIRED_TOKEN")(route)));
  await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await heading(page, "This link does not work");
  assert.deepEqual(bodies, [{ token: TOKEN, new_password: PASSWORD }]);
});

test("the form for the code survives a reload, and goes back to the address", async () => {
  const page = await atCode();
  await page.reload();
  assert.match(await page.locator("#notice").innerText(), /account exists for ada@example.com/);
  const bodies = [];
  await page.route(CONFIRM, (route) => (bodies.push(route.request().postDataJSON()), problem(400, "INVALID_OR_EXPIRED_TOKEN")(route)));
  await page.getByLabel("Code").fill("ABCD2345");
  await page.getByLabel("New password").fill(PASSWORD);
  await submit(page);
  await page.locator("#error-code").waitFor();
  assert.equal(await focused(page), "code");
  assert.deepEqual(bodies, [{ challenge_id: "c1", code: "ABCD2345", new_password: PASSWORD }]);

  await page.route(REQUEST, accepted("c2"));
  await page.getByRole("button", { name: "Send another mail" }).click();
  await page.locator("#notice").filter({ hasText: "another mail" }).waitFor();
  await submit(page);
  await eventually(() => bodies.length === 2, "the code is sent again");
  assert.equal(bodies[1].challenge_id, "c2");
  assert.equal(await page.getByLabel("New password").inputValue(), PASSWORD);

  await page.goBack();
  await heading(page, "Forgot your password");
  await page.goForward();
  await page.getByRole("link", { name: "Use another address" }).click();
  await heading(page, "Forgot your password");
});

test("an incomplete code is reported without a request, so it is none of the five tries", async () => {
  const page = await atCode();
  await page.route(CONFIRM, () => assert.fail("a request was sent"));
  await page.getByLabel("New password").fill(PASSWORD);
  for (const code of ["", "ABCD", "ABCD-234", "ABCD 2345 6"]) {
    await page.getByLabel("Code").fill(code);
    await submit(page);
    await page.locator("#error-code").filter({ hasText: "Code must be 8 letters and digits." }).waitFor();
    assert.equal(await focused(page), "code");
  }
});

test("a mail that cannot be requested again is reported, with a button to try again", async () => {
  const page = await atCode();
  await page.route(REQUEST, (route) => route.abort());
  await page.getByRole("button", { name: "Send another mail" }).click();
  const toast = page.locator(".toast.problem");
  await toast.filter({ hasText: "cannot be reached" }).waitFor();
  await page.route(REQUEST, accepted("c2"));
  await toast.getByRole("button", { name: "Try again" }).click();
  await page.locator("#notice").filter({ hasText: "another mail" }).waitFor();
});

test("the path works by keyboard alone, and the link to the content keeps the form", async () => {
  const page = await pageAt("/sign-in");
  await page.route(REQUEST, accepted());
  await tabTo(page, "forgot");
  await page.keyboard.press("Enter");
  await heading(page, "Forgot your password");
  assert.equal(await focused(page), "email");
  await page.keyboard.type("ada@example.com");
  await page.keyboard.press("Enter");
  await page.locator("[name=code]").waitFor();
  assert.equal(await focused(page), "main");
  await eventually(async () => /If an account exists/.test(await page.locator("#announcer").textContent()), "the notice is announced");
  await tabTo(page, "code");
  await page.keyboard.type("ABCD2345");
  await page.locator(".skip").focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "main");
  assert.equal(await page.getByLabel("Code").inputValue(), "ABCD2345");
  await tabTo(page, "new_password");
  await page.keyboard.type("short");
  await page.route(CONFIRM, problem(422, "VALIDATION_ERROR", { errors: [{ field: "new_password", code: "unacceptable_password", message: "must be at least 8 characters" }] }));
  await page.keyboard.press("Enter");
  await page.locator("#error-new_password").waitFor();
  assert.equal(await focused(page), "new_password");
});

test("a browser in German shows these pages in German, and declares the language", async () => {
  const page = await pageAt("/sign-in", { locale: "de-CH" });
  const language = () => page.evaluate(() => document.documentElement.lang);
  assert.equal(await language(), "de");
  await page.getByRole("link", { name: "Passwort vergessen?" }).click();
  await heading(page, "Passwort vergessen");
  assert.deepEqual([await language(), await page.title()], ["de", "Passwort vergessen · Tasks"]);
  await page.getByRole("link", { name: "Zum Inhalt springen" }).waitFor();
  await page.route(REQUEST, problem(422, "VALIDATION_ERROR", { errors: [{ field: "email", code: "invalid_email", message: "must be an email address" }] }));
  await page.getByLabel("E-Mail-Adresse").fill("ada");
  await submit(page);
  await page.getByText("E-Mail-Adresse ist ungültig.").waitFor();
  await page.route(REQUEST, accepted());
  await page.getByLabel("E-Mail-Adresse").fill("ada@example.com");
  await submit(page);
  await page.getByText("Wenn es ein Konto für ada@example.com gibt").first().waitFor();
  await page.route(CONFIRM, problem(400, "INVALID_OR_EXPIRED_TOKEN"));
  await page.getByLabel("Code").fill("ABCD2345");
  await page.getByLabel("Neues Passwort").fill(PASSWORD);
  await submit(page);
  await page.locator("#error-code").filter({ hasText: "Der Code ist falsch" }).waitFor();
  await page.getByRole("link", { name: "Andere Adresse verwenden" }).click();
  await page.getByRole("link", { name: "Zurück zur Anmeldung" }).click();
  await heading(page, "Anmelden");
  await page.goto(`/reset#${TOKEN}`);
  await heading(page, "Neues Passwort wählen");
  assert.equal(await language(), "de");
});

test("every text exists in both languages, with the same values, and no template names a text that does not exist", async () => {
  const page = await pageAt("/");
  const module = await page.locator("link[href$='language.js']").getAttribute("href");
  const source = await (await fetch(server.base + module)).text();
  const [english, german] = ["en", "de"].map((language) => {
    const block = new RegExp(`\\n  ${language}: \\{\\n([^]*?)\\n  \\},`).exec(source)[1];
    return new Map(Array.from(block.matchAll(/^ +"?([\w.-]+)"?: "(.*)",$/gm), ([, key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).join()]));
  });
  assert(english.size > 30);
  assert.deepEqual([...german], [...english]);
  const named = await page.evaluate(() =>
    [document, ...Array.from(document.querySelectorAll("template"), ({ content }) => content)].flatMap((root) =>
      Array.from(root.querySelectorAll("[data-text], [data-busy-text]"), ({ dataset }) => [dataset.text, dataset.busyText]),
    ),
  );
  assert.deepEqual(named.flat().filter((key) => key && !english.has(key)), []);
});

test("a browser in another language shows the pages in English", async () => {
  const page = await pageAt("/forgot-password", { locale: "fr-FR" });
  await heading(page, "Forgot your password");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
});

test("a link works in a browser in which a user is signed in", async () => {
  const { page } = await open(signedIn, server);
  await page.goto(`/reset#${TOKEN}`);
  await heading(page, "Choose a new password");
  await page.goto("/forgot-password");
  await heading(page, "Forgot your password");
});

test("a page on which a new password was to be chosen follows a sign-in of another tab", async () => {
  const page = await atCode();
  await signUp(await page.context().newPage(), newUser());
  await heading(page, "Your tasks");
});
