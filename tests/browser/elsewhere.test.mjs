// The documentation page, and a page of another origin that uses the client.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { after, before, test } from "node:test";
import { PASSWORD, Server, launch, newContext, newUser, signedIn } from "./harness.mjs";

const FILES = ["/examples/bearer.html", "/clients/javascript/client.js"];
let browser, files, origin, server;

before(async () => {
  browser = await launch();
  // Serves the example as `python3 -m http.server` in the repository would, but with the address of the test server.
  files = http.createServer(async (request, response) => {
    if (!FILES.includes(request.url)) return response.writeHead(404).end();
    const text = await readFile(new URL(`../..${request.url}`, import.meta.url), "utf8");
    response.setHeader("Content-Type", request.url.endsWith("js") ? "text/javascript" : "text/html");
    response.end(text.replace("http://127.0.0.1:8080", server.base));
  });
  files.listen(0, "127.0.0.1");
  await once(files, "listening");
  origin = `http://localhost:${files.address().port}`;
  server = await Server.start({ ALLOWED_ORIGINS: origin, ACCESS_TOKEN_TTL: "1s" });
});
after(async () => {
  await browser.close();
  files.closeAllConnections();
  files.close();
  await server.end();
});

test("a page of another origin signs in with the client in bearer mode, and stays signed in", async () => {
  const context = await newContext(browser, server);
  const page = await context.newPage();
  const ada = newUser();
  const { access_token: token } = await server.call("POST", "/api/auth/register", ada);
  await server.call("POST", "/api/tasks", { title: "Buy <b>milk</b>" }, token);
  await page.goto(`${origin}/examples/bearer.html`);
  await page.getByLabel("Email").fill(ada.email);
  await page.getByLabel("Password").fill("not this one");
  await page.getByRole("button").click();
  await page.getByText("Invalid email or password").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button").click();
  await page.getByText(`${ada.email}: 1 open`).waitFor();
  await page.getByRole("listitem").filter({ hasText: "Buy <b>milk</b>" }).waitFor();
  await page.waitForTimeout(7000);
  const refreshed = page.waitForResponse("**/api/auth/refresh");
  await page.reload();
  assert.equal((await refreshed).status(), 200);
  await page.getByText(`${ada.email}: 1 open`).waitFor();
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(context.pageErrors, []);
  await context.close();
});

test("an unlisted origin is blocked by the browser, and signs no user out", async (t) => {
  const other = await Server.start();
  t.after(() => other.end());
  const context = await newContext(browser, other);
  const page = await context.newPage();
  await page.goto(`${origin}/examples/bearer.html`);
  const outcome = await page.evaluate(async (base) => {
    const { createClient } = await import("/clients/javascript/client.js");
    return createClient({ base }).signIn({ email: "a@example.com", password: "x" }).catch((error) => [error.code, error.status]);
  }, other.base);
  assert.deepEqual(outcome, ["NETWORK_ERROR", 0]);
  await context.close();
});

async function execute(page, operation) {
  const block = page.locator(`#operations-${operation}`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  await block.getByRole("button", { name: "Execute" }).click();
  const status = block.locator(".live-responses-table .response-col_status").last();
  await status.waitFor();
  return [Number.parseInt(await status.innerText(), 10), await block.locator(".live-responses-table .response-col_description").last().innerText()];
}

test("the documentation is linked, says how to authorise, and does it with a token", async (t) => {
  const own = await Server.start();
  t.after(() => own.end());
  const context = await newContext(browser, own);
  const page = await context.newPage();
  const ada = newUser();
  const { access_token: token } = await own.call("POST", "/api/auth/register", ada);
  await page.goto("/");
  await page.getByRole("link", { name: "API documentation" }).click();
  await page.getByText("To try it in the documentation page").waitFor();
  assert.equal((await execute(page, "account-getAccount"))[0], 401);
  await page.locator(".auth-wrapper .authorize").click();
  await page.locator("#auth-bearer-value, .auth-container input").first().fill(token);
  await page.locator(".auth-btn-wrapper .authorize").first().click();
  await page.locator(".btn-done").first().click();
  await page.locator("#operations-account-getAccount .execute").click();
  await page.locator("#operations-account-getAccount").getByText(ada.email).first().waitFor();
  assert.deepEqual(context.pageErrors, []);
  await context.close();
});

test("a user who is signed in on the pages is signed in to the documentation", async (t) => {
  const own = await Server.start();
  t.after(() => own.end());
  const { context, page, user } = await signedIn(browser, own);
  await page.goto("/docs/");
  const [status, body] = await execute(page, "account-getAccount");
  assert.equal(status, 200);
  assert(body.includes(user.email));
  await context.close();
});
