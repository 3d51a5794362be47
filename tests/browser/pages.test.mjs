// The pages in Chromium, against a live server.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PASSWORD, add, alertText, eventually, heading, inBrowser, newContext, newUser, signIn, signedIn, task } from "./harness.mjs";

let server;
const open = inBrowser((started) => ({ server } = started));

describe("a user", () => {
  test("signs up, keeps tasks, changes name and password, deletes the account", async () => {
    const context = await open(newContext, server);
    const page = await context.newPage();
    const ada = newUser();
    await page.goto("/");
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByLabel("Name").fill(ada.name);
    await page.getByLabel("Email").fill(ada.email);
    await page.getByLabel("Password").fill(ada.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await heading(page, "Your tasks");
    await page.getByText("Nothing to do yet").waitFor();

    await add(page, "Buy milk");
    await page.getByText("Add a description").click();
    await page.getByRole("textbox", { name: "Description" }).fill("rye\nor spelt");
    await add(page, "Buy bread");
    assert.equal(await task(page, "Buy bread").locator(".description").innerText(), "rye\nor spelt");
    await page.getByRole("button", { name: "Edit Buy milk" }).click();
    await page.getByRole("textbox", { name: "Title" }).fill("Buy oat milk");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("checkbox", { name: "Buy oat milk" }).check();
    await page.getByRole("button", { name: "Delete Buy bread" }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await task(page, "Buy bread").waitFor();
    await page.reload();
    await page.getByRole("radio", { name: "Open" }).check();
    await task(page, "Buy bread").waitFor();
    await task(page, "Buy oat milk").waitFor({ state: "detached" });
    await page.getByRole("radio", { name: "Done" }).check();
    await task(page, "Buy oat milk").waitFor();
    await page.getByRole("radio", { name: "All" }).check();
    await page.getByRole("searchbox").fill("BREAD");
    await task(page, "Buy oat milk").waitFor({ state: "detached" });
    assert.match(page.url(), /\?q=BREAD$/);
    await page.getByRole("searchbox").fill("nothing like it");
    await page.getByText("No task matches.").waitFor();
    await page.getByRole("searchbox").fill("");
    await task(page, "Buy oat milk").waitFor();
    await page.getByRole("button", { name: "Delete Buy bread" }).click();
    await page.getByRole("link", { name: "Account" }).click();

    await page.getByLabel("Name").fill("Ada King");
    await page.getByRole("button", { name: "Save name" }).click();
    await page.getByText("Your name is saved.").waitFor();
    await page.getByLabel("Current password").fill("not this one");
    await page.getByLabel("New password").fill("short");
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("New password must be at least 8 characters.").waitFor();
    await page.getByLabel("New password").fill("another good password");
    await page.getByRole("button", { name: "Change password" }).click();
    await page.locator("#error-current_password").waitFor();
    assert.equal(await page.getByLabel("New password").inputValue(), "another good password");
    await page.getByLabel("Current password").fill(PASSWORD);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Your password is changed.").waitFor();
    await page.reload();
    assert.equal(await page.getByLabel("Name").inputValue(), "Ada King");
    await page.getByRole("link", { name: "Tasks", exact: true }).last().click();
    await task(page, "Buy oat milk").waitFor();
    assert.equal(await task(page, "Buy bread").count(), 0);

    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("button", { name: "Delete account…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password").fill("not this one");
    await dialog.getByRole("button", { name: "Delete everything" }).click();
    await dialog.locator(".error").waitFor();
    await dialog.getByLabel("Password").fill("another good password");
    await dialog.getByRole("button", { name: "Delete everything" }).click();
    await heading(page, "Sign in");
    await signIn(page, { ...ada, password: "another good password" });
    assert.match(await alertText(page.locator("form")), /Invalid email or password/);
    assert.equal(await page.getByLabel("Email").inputValue(), ada.email);
  });

  test("sees each error at its field, and keeps the typed text", async () => {
    const page = await (await open(newContext, server)).newPage();
    await page.goto("/sign-up");
    await page.getByLabel("Email").fill("ada");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Email must be an email address.").waitFor();
    await page.getByText("Password must be at least 8 characters.").waitFor();
    const email = page.getByLabel("Email");
    assert.deepEqual(
      [await email.inputValue(), await email.getAttribute("aria-invalid"), await email.getAttribute("aria-describedby")],
      ["ada", "true", "error-email"],
    );
    assert.equal(await page.evaluate(() => document.activeElement.name), "email");
    const ada = newUser();
    await server.call("POST", "/api/auth/register", ada);
    await email.fill(ada.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.locator("#error-email").filter({ hasText: /already/ }).waitFor();
  });

  test("signs up with the keyboard alone, works, and signs out", async () => {
    const page = await (await open(newContext, server)).newPage();
    const ada = newUser();
    const focus = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
    const tabTo = async (name) => {
      for (let left = 30; left > 0; left -= 1) {
        await page.keyboard.press("Tab");
        if ((await focus()) === name) return;
      }
      assert.fail(`Tab does not reach ${name}`);
    };
    await page.goto("/");
    await heading(page, /calm/);
    await page.keyboard.press("Tab");
    assert.equal(await focus(), "Skip to content");
    await tabTo("Create an account");
    await page.keyboard.press("Enter");
    await heading(page, "Create an account");
    assert.equal(await focus(), "name");
    await page.keyboard.type(ada.name);
    await tabTo("email");
    await page.keyboard.type(ada.email);
    await tabTo("password");
    await page.keyboard.type(ada.password);
    await page.keyboard.press("Enter");
    await heading(page, "Your tasks");
    await tabTo("title");
    await page.keyboard.type("Buy milk");
    await page.keyboard.press("Enter");
    await task(page, "Buy milk").waitFor();
    assert.equal(await focus(), "title");
    await tabTo("Edit");
    await page.keyboard.press("Enter");
    await page.keyboard.type(" and bread");
    await page.keyboard.press("Enter");
    await task(page, "and bread").waitFor();
    assert.equal(await focus(), "Edit");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    assert.equal(await focus(), "Edit");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Deleted").first().waitFor();
    await tabTo("Undo");
    await page.keyboard.press("Enter");
    await task(page, "and bread").waitFor();
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focus(), "Edit");
    await page.locator("#sign-out").focus();
    await page.keyboard.press("Enter");
    await heading(page, "Sign in");
  });

  test("returns to the requested page, but never to another site", async () => {
    const { page, context, user } = await open(signedIn, server);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("main").getByText("You are signed out.").waitFor();
    await page.goto("/tasks?show=done");
    await page.waitForURL(/sign-in\?next=%2Ftasks%3Fshow%3Ddone/);
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, user, null);
    await page.waitForURL(`${server.base}/tasks?show=done`);
    for (const next of ["https://evil.example/tasks", "//evil.example/tasks", "/api/auth/session", "javascript:alert(1)", "http://["]) {
      await context.clearCookies();
      await page.evaluate(() => localStorage.clear());
      await signIn(page, user, `/sign-in?next=${encodeURIComponent(next)}`);
      await page.waitForURL(`${server.base}/tasks`);
    }
  });

  test("sees all tasks where the address has an unknown filter", async () => {
    const { page } = await open(signedIn, server);
    await add(page, "Buy milk");
    for (const show of ["constructor", "toString", "__proto__", "hasOwnProperty", "null", '"]']) {
      await page.goto(`/tasks?show=${encodeURIComponent(show)}`);
      await task(page, "Buy milk").waitFor();
      assert(await page.getByRole("radio", { name: "All" }).isChecked(), show);
    }
    await page.goto("/sign-in?next=constructor");
    await page.waitForURL(`${server.base}/tasks`);
  });

  test("does not see the tasks again with the back button after signing out", async () => {
    const { page } = await open(signedIn, server);
    await add(page, "A secret");
    await page.getByRole("link", { name: "Account" }).click();
    await heading(page, "Your account");
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Sign in");
    for (let step = 0; step < 3; step += 1) {
      await page.goBack();
      await page.waitForTimeout(150);
      assert(!(await page.content()).includes("A secret"));
      assert.equal(await page.getByRole("navigation").isVisible(), false);
    }
  });

  test("may write any text: it is shown, and never executed", async () => {
    const { page, context } = await open(signedIn, server);
    const titles = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "🏳️‍🌈 👩‍👩‍👧 emoji", "שלום", "&amp; &lt;b&gt;", "${7*7} {{7*7}}", "x".repeat(200)];
    page.on("dialog", () => context.pageErrors.push("a script ran"));
    for (const title of titles) await add(page, title);
    await page.reload();
    await task(page, "emoji").waitFor();
    assert.deepEqual(await page.locator(".title").allTextContents(), titles.toReversed());
    assert.equal(await page.locator("li script, li img").count(), 0);
    await page.setViewportSize({ width: 360, height: 700 });
    assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });

  test("with 500 tasks reads them page by page", async () => {
    const { page, user } = await open(signedIn, server);
    const { access_token: token } = await server.login(user);
    for (let number = 1; number <= 500; number += 1) await server.call("POST", "/api/tasks", { title: `Task ${number}` }, token);
    const started = Date.now();
    await page.reload();
    await task(page, "Task 500").waitFor();
    assert(Date.now() - started < 3000);
    const items = page.getByRole("listitem");
    assert.equal(await items.count(), 50);
    for (let shown = 100; shown <= 500; shown += 50) {
      await page.getByRole("button", { name: "Show more" }).click();
      await eventually(async () => (await items.count()) === shown, `${shown} are shown`);
      assert.equal(await page.evaluate(() => document.activeElement.closest("li").textContent.trim().match(/\d+/)[0]), `${550 - shown}`);
    }
    assert.equal(await page.getByRole("button", { name: "Show more" }).isVisible(), false);
    const titles = await page.locator(".title").allTextContents();
    assert.equal(new Set(titles).size, 500);
  });
});
