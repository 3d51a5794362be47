// Every page is accessible and its layout is stable, the first page is small, and inline scripts are forbidden.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { PASSWORD, add, heading, inBrowser, newContext, signedIn } from "./harness.mjs";

let browser, server;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const LINKS = ["/reset", "/verify", "/change-email", "/undo-email-change", "/delete-account"];
const GUEST_PAGES = ["/", "/sign-in", "/sign-up", "/forgot-password", ...LINKS];

inBrowser((started) => ({ browser, server } = started));

async function isAccessible(page, what) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values } }), RULES);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(found, [], what);
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

/** The links to check at this width: all at 360 px; otherwise two, because the others differ only in their texts. */
const linksAt = (width) => (width === 360 ? LINKS : ["/reset", "/verify"]).map((page) => `${page}#token`);

/** Checks the pages of all links in a German browser, and what follows the button of `/verify`. */
async function checkGermanLinks(page) {
  for (const link of LINKS) {
    await page.goto("about:blank");
    await page.goto(`${link}#token`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await isAccessible(page, `${link}, in German`);
    assert(await fits(page), `${link}, in German`);
  }
  await page.route("**/email-verification/confirm", (route) => route.fulfill({ status: 403, json: { status: 403, code: "PASSWORD_REQUIRED", detail: "Enter the password" } }));
  await page.goto("about:blank");
  await page.goto("/verify#token");
  await page.getByRole("button", { name: "Adresse bestätigen" }).click();
  await page.getByLabel("Passwort").waitFor();
  await isAccessible(page, "the password for a confirmation, in German");
  await page.route("**/email-verification/confirm", (route) => route.fulfill({ status: 200, json: { user: { id: "u", email: `${"a".repeat(60)}@example.com` } } }));
  await page.getByLabel("Passwort").fill("a password");
  await page.getByRole("button", { name: "Adresse bestätigen" }).click();
  await heading(page, "Ihre Adresse ist bestätigt");
  await isAccessible(page, "a confirmed address, in German");
  assert(await fits(page), "a confirmed address");
  await page.route("**/api/auth/login", (route) => route.fulfill({ status: 403, json: { status: 403, code: "EMAIL_NOT_VERIFIED", detail: "Confirm the address" } }));
  await page.getByRole("link", { name: "Anmelden" }).click();
  await page.getByLabel("E-Mail-Adresse").fill("ada@example.com");
  await page.getByLabel("Passwort").fill("a password");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.locator("#unverified").waitFor();
  await isAccessible(page, "a sign-in before the confirmation, in German");
  assert(await fits(page), "a sign-in before the confirmation");
}

for (const colorScheme of ["light", "dark"]) {
  for (const [width, height] of [[360, 740], [1440, 900]]) {
    test(`every page is accessible and fits: ${colorScheme}, ${width} px`, async () => {
      // Without `bypassCSP`, the content security policy would block the scripts that axe adds to a page.
      const look = { colorScheme, viewport: { width, height }, bypassCSP: true, reducedMotion: "reduce" };
      const guest = await newContext(browser, server, look);
      const front = await guest.newPage();
      for (const path of [...GUEST_PAGES.slice(0, width === 360 ? undefined : 5), ...linksAt(width), "/reset?callbackURL=%2Fnew#token", "/verify?callbackURL=%2F%2Fevil.example"]) {
        await front.goto("about:blank");
        await front.goto(path);
        await front.getByRole("heading", { level: 1 }).waitFor();
        await isAccessible(front, path);
        assert(await fits(front), path);
      }
      await front.goto("/sign-up");
      await front.getByRole("button", { name: "Create account" }).click();
      await front.locator(".error").first().waitFor();
      await isAccessible(front, "a refused form");

      const german = await newContext(browser, server, { ...look, locale: "de-DE" });
      const code = await german.newPage();
      await code.route("**/api/auth/password-reset", (route) => route.fulfill({ status: 202, json: { challenge_id: "c", expires_in: 3600 } }));
      await code.goto("/sign-in");
      await code.locator("#forgot").click();
      await heading(code, "Passwort vergessen");
      await isAccessible(code, "the form for the address, in German");
      await code.getByLabel("E-Mail-Adresse").fill(`${"a".repeat(60)}@example.com`);
      await code.getByRole("button", { name: "E-Mail senden" }).click();
      await code.getByLabel("Code").waitFor();
      await isAccessible(code, "the form for the code, in German");
      assert(await fits(code), "the form for the code");
      if (width === 360) await checkGermanLinks(code);
      await german.close();

      const { context, page } = await signedIn(browser, server, look);
      await page.getByText("Nothing to do yet").waitFor();
      await isAccessible(page, "no tasks");
      for (const title of ["Buy milk", "Buy bread", "Buy eggs"]) await add(page, title);
      await page.getByRole("checkbox", { name: "Buy milk" }).check();
      await page.locator("li.done").waitFor();
      await isAccessible(page, "tasks");
      await page.getByRole("button", { name: "Edit Buy bread" }).click();
      await page.getByRole("button", { name: "Delete Buy eggs" }).click();
      await isAccessible(page, "editing, with an undo");
      assert(await fits(page), "editing");
      await page.goto("/account");
      await page.getByRole("heading", { level: 1 }).waitFor();
      await isAccessible(page, "/account");
      assert(await fits(page), "/account");
      await page.getByRole("button", { name: "Delete account…" }).click();
      await isAccessible(page, "the dialog");
      await page.goto("/sessions");
      await page.locator(".badge:visible").waitFor();
      await isAccessible(page, "/sessions");
      assert(await fits(page), "/sessions");
      const account = await newContext(browser, server, { ...look, locale: "de-DE", storageState: await context.storageState() });
      const konto = await account.newPage();
      await konto.goto("/account");
      await heading(konto, "Ihr Konto");
      await isAccessible(konto, "/account, in German");
      assert(await fits(konto), "/account, in German");
      await konto.locator("[name=new_email]").fill("new@example.org");
      await konto.locator("#change-email [name=password]").fill(PASSWORD);
      await konto.getByRole("button", { name: "Adresse ändern" }).click();
      await konto.getByLabel("Code").waitFor();
      await isAccessible(konto, "the code for another address, in German");
      await Promise.all([guest.close(), account.close(), context.close()]);
    });
  }
}

test("the first page is small, and no page has layout shifts", async () => {
  const context = await newContext(browser, server);
  await context.addInitScript(() => {
    window.moved = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.moved += entry.hadRecentInput ? 0 : entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const page = await context.newPage();
  const sizes = [];
  page.on("requestfinished", async (request) => sizes.push(request.sizes()));
  await page.goto("/", { waitUntil: "networkidle" });
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0);
  assert(bytes > 5_000 && bytes <= 50 * 1024, `${bytes} bytes`);
  console.log(`first page: ${bytes} bytes`);
  for (const path of [...GUEST_PAGES, ...LINKS.map((link) => `${link}#token`)]) {
    await page.goto("about:blank");
    await page.goto(path, { waitUntil: "networkidle" });
    assert.equal(await page.evaluate(() => window.moved), 0, path);
  }
  const { page: tasks, context: own } = await signedIn(browser, server);
  await own.addInitScript(() => {
    window.moved = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.moved += entry.hadRecentInput ? 0 : entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await add(tasks, "Buy milk");
  for (const path of ["/tasks", "/account", "/sessions"]) {
    await tasks.goto(path, { waitUntil: "networkidle" });
    const moved = await tasks.evaluate(() => window.moved);
    assert(moved < 0.01, `${path}: ${moved}`);
  }
  await Promise.all([context.close(), own.close()]);
});

test("nothing inline may run, and no text can become HTML", async () => {
  const context = await newContext(browser, server);
  const page = await context.newPage();
  const response = await page.goto("/");
  const policy = response.headers()["content-security-policy"];
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'/);
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = "<b>x</b>";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, "TypeError");
  await context.close();
});
