// The pages during faults of the network, the server or the browser, such as blocked cookies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, Server, add, inBrowser, newContext, newUser, signIn, signedIn, task } from "./harness.mjs";

let browser, server;
const open = inBrowser((started) => ({ browser, server } = started));
const title = (page) => page.getByRole("textbox", { name: "New task" });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const problem = (code, message, headers = {}) => (route) =>
  route.fulfill({
    status: Number(code.slice(0, 3)),
    headers: { "Content-Type": "application/problem+json", ...headers },
    body: JSON.stringify({ status: Number(code.slice(0, 3)), title: "", code: code.slice(4), detail: message, message }),
  });

test("offline, typed text stays, and is sent when the network returns", async () => {
  const { page, context } = await open(signedIn, server);
  await context.setOffline(true);
  await title(page).fill("Written in a tunnel");
  await press(page, "Add");
  const alert = page.locator("form.add [role=alert]");
  await alert.waitFor();
  assert.match(await alert.innerText(), /You are offline/);
  assert.equal(await title(page).inputValue(), "Written in a tunnel");
  await context.setOffline(false);
  await alert.getByRole("button", { name: "Try again" }).click();
  await task(page, "Written in a tunnel").waitFor();
  assert.equal(await title(page).inputValue(), "");
});

test("a busy server is retried, then reported, with a way to continue", async () => {
  const { page } = await open(signedIn, server);
  let responses = 0;
  await page.route("**/api/*/tasks", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    responses += 1;
    return problem("503 OVERLOADED", "More work than the server can take on", { "Retry-After": "1" })(route);
  });
  await title(page).fill("Patience");
  await press(page, "Add");
  const alert = page.locator("form.add [role=alert]");
  await alert.waitFor();
  assert.match(await alert.innerText(), /More work than .*Please try again in 1 s/);
  assert.equal(responses, 3);
  assert.equal(await title(page).inputValue(), "Patience");
  await page.unroute("**/api/*/tasks");
  await alert.getByRole("button", { name: "Try again" }).click();
  await task(page, "Patience").waitFor();
});

test("a list that cannot be read offers to try again", async () => {
  const { page } = await open(signedIn, server);
  await add(page, "Still there");
  await page.route("**/api/*/tasks?*", (route) => route.abort());
  await page.reload();
  const alert = page.locator("#list-problem [role=alert]");
  await alert.waitFor();
  await page.unroute("**/api/*/tasks?*");
  await alert.getByRole("button", { name: "Try again" }).click();
  await task(page, "Still there").waitFor();
});

test("failed changes are undone, reported, and can be retried", async () => {
  const { page } = await open(signedIn, server);
  await add(page, "Contested");
  await page.route("**/api/*/tasks/*", (route) => route.abort());
  const tick = page.getByRole("checkbox", { name: "Contested" });
  await tick.click();
  await page.locator(".toast.problem").waitFor();
  assert.equal(await tick.isChecked(), false);
  await page.unroute("**/api/*/tasks/*");
  await page.locator(".toast.problem").getByRole("button", { name: "Try again" }).click();
  await page.locator("li.done").waitFor();
  assert(await tick.isChecked());
  await page.route("**/api/*/tasks/*", (route) => route.abort());
  await page.getByRole("button", { name: "Delete Contested" }).click();
  await task(page, "Contested").waitFor({ state: "hidden" });
  await page.mouse.move(0, 0);
  await page.locator(".toast.problem").waitFor({ timeout: 15_000 });
  await task(page, "Contested").waitFor();
  await page.unroute("**/api/*/tasks/*");
});

test("a slow network shows at the button, and a second click sends nothing", async () => {
  const context = await open(newContext, server);
  const page = await context.newPage();
  const ada = newUser();
  await server.call("POST", "/api/auth/register", ada);
  let logins = 0;
  await page.route("**/api/auth/login", async (route) => {
    logins += 1;
    await new Promise((go) => setTimeout(go, 1000));
    await route.continue();
  });
  await signIn(page, ada);
  const button = page.getByRole("button", { name: "Signing in…" });
  await button.waitFor();
  await button.click({ force: true });
  await page.getByLabel("Password").press("Enter");
  await page.getByRole("heading", { name: "Your tasks" }).waitFor();
  assert.equal(logins, 1);
});

test("a server that restarts under the page costs a retry and nothing else", async () => {
  const own = await Server.start();
  try {
    const { page } = await open(signedIn, own);
    await add(page, "Before");
    await own.stop();
    await title(page).fill("During");
    await press(page, "Add");
    const alert = page.locator("form.add [role=alert]");
    await alert.waitFor();
    assert.match(await alert.innerText(), /cannot be reached/);
    await own.run();
    await alert.getByRole("button", { name: "Try again" }).click();
    await task(page, "During").waitFor();
    await press(page, "Sign out");
    await page.locator("main").getByText("You are signed out.").waitFor();
  } finally {
    await own.end();
  }
});

test("signing out without the server reports that nothing has changed", async () => {
  const { page, context } = await open(signedIn, server);
  await context.setOffline(true);
  await press(page, "Sign out");
  await page.getByText("You are still signed in.").waitFor();
  assert(await page.getByRole("heading", { name: "Your tasks" }).isVisible());
});

test("cookies that the browser does not store are reported as the reason", async () => {
  const context = await open(newContext, server);
  const page = await context.newPage();
  const ada = newUser();
  await server.call("POST", "/api/auth/register", ada);
  await page.route("**/api/auth/login", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    delete headers["set-cookie"];
    await context.clearCookies();
    await route.fulfill({ response, headers });
  });
  await signIn(page, ada);
  await page.locator("main").getByText("Your browser does not keep our cookies").waitFor();
  assert.equal(await page.getByLabel("Email").inputValue(), ada.email);
  await page.unroute("**/api/auth/login");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your tasks" }).waitFor();
});

test("with cookies and storage blocked, the sign-in page says so before anything is typed", async () => {
  const context = await open(newContext, server);
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "cookieEnabled", { get: () => false });
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException("blocked", "SecurityError");
        },
      });
    }
  });
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.locator("main").getByText("Your browser does not keep our cookies").waitFor();
});

test("broken cookies lead to the sign-in page and do no more harm", async () => {
  const { page, context, user } = await open(signedIn, server);
  await context.addCookies([
    { name: "access_token", value: "broken", domain: "127.0.0.1", path: "/", httpOnly: true },
    { name: "refresh_token", value: "broken", domain: "127.0.0.1", path: "/api/auth", httpOnly: true },
  ]);
  await page.reload();
  await page.locator("main").getByText("Your session has expired, please sign in again.").waitFor();
  await signIn(page, user, null);
  await page.getByRole("heading", { name: "Your tasks" }).waitFor();
});

test("without JavaScript the page explains what to do", async () => {
  const context = await open(newContext, server, { javaScriptEnabled: false });
  const page = await context.newPage();
  for (const path of ["/", "/tasks", "/sign-in"]) {
    await page.goto(path);
    assert.match(await page.locator("main").innerText(), /need JavaScript/);
  }
});

for (const hours of [-1, 1]) {
  test(`a clock that is off by ${hours} h changes nothing`, async () => {
    const context = await open(newContext, server);
    await context.clock.install({ time: Date.now() + hours * 3_600_000 });
    const page = await context.newPage();
    const ada = newUser();
    await server.call("POST", "/api/auth/register", ada);
    const refreshes = [];
    page.on("request", (request) => request.url().endsWith("/refresh") && refreshes.push(request));
    await signIn(page, ada);
    await page.getByRole("heading", { name: "Your tasks" }).waitFor();
    await add(page, "On time");
    assert.equal(refreshes.length, 0);
  });
}

test("too many wrong passwords are reported with the waiting time", async () => {
  const context = await open(newContext, server);
  const page = await context.newPage();
  await page.route("**/api/auth/login", problem("429 TOO_MANY_REQUESTS", "Too many failed logins", { "Retry-After": "800" }));
  await signIn(page, { email: "ada@example.com", password: PASSWORD });
  await page.getByText("Too many failed logins. Please try again in 14 minutes.").waitFor();
});

test("a server without a public URL explains how to set it", async () => {
  const { page } = await open(signedIn, server);
  await page.route("**/api/*/tasks", problem("403 UNTRUSTED_ORIGIN", "A request with cookies must come from our own pages"));
  await title(page).fill("Kept");
  await press(page, "Add");
  await page.getByText(`set PUBLIC_URL to ${server.base}`).waitFor();
  assert.equal(await title(page).inputValue(), "Kept");
});
