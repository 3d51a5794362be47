// Tests sessions in the web pages: on several devices, in several tabs, and how a session ends.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Server, add, counting, eventually, heading, inBrowser, newContext, newUser, signIn, signUp, signedIn, task } from "./harness.mjs";

let server;
const open = inBrowser((started) => ({ server } = started));

describe("a session", () => {
  test("revoked on one device is signed out on it, and the list names each device", async () => {
    const { page, user } = await open(signedIn, server);
    const phone = await open(newContext, server, { userAgent: "Mozilla/5.0 (Android 16; Mobile) Gecko/150.0 Firefox/150.0" });
    const other = await phone.newPage();
    await signIn(other, user);
    await heading(other, "Your tasks");
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.locator(".badge:visible").waitFor();
    await page.getByRole("button", { name: "Sign out Firefox on Android" }).click();
    await page.getByRole("listitem").filter({ hasText: "Firefox" }).waitFor({ state: "detached" });
    await other.getByRole("textbox", { name: "New task" }).fill("Half a thought");
    await other.getByRole("button", { name: "Add", exact: true }).click();
    await other.locator("main").getByText("Your session has expired, please sign in again.").waitFor();
    await signIn(other, user, null);
    await heading(other, "Your tasks");
    assert.equal(await other.getByRole("textbox", { name: "New task" }).inputValue(), "Half a thought");
    await page.reload();
    await page.getByRole("button", { name: "Sign out all others" }).click();
    await page.getByText("One other session is signed out.").waitFor();
    await other.getByRole("link", { name: "Sessions" }).click();
    await other.locator("main").getByText("Your session has expired").waitFor();
    await page.getByRole("button", { name: "Sign out of this device" }).click();
    await heading(page, "Sign in");
  });

  for (const [how, leave] of [
    ["signing out", (page) => page.getByRole("button", { name: "Sign out" }).click()],
    ["leaving the pages", (page) => page.goto("/docs/")],
  ]) {
    test(`completes a deletion that could still be undone: ${how}`, async () => {
      const { page, user } = await open(signedIn, server);
      await add(page, "Doomed");
      await add(page, "Kept");
      await page.getByRole("button", { name: "Delete Doomed" }).click();
      await leave(page);
      const { access_token: token } = await server.login(user);
      const titles = async () => (await server.call("GET", "/api/tasks", undefined, token)).map((task) => task.title);
      await eventually(async () => (await titles()).join() === "Kept", "the task is deleted");
    });
  }

  test("that ends in another tab keeps the text typed in this one", async () => {
    const { page, context, user } = await open(signedIn, server);
    const other = await context.newPage();
    await other.goto("/sessions");
    await other.locator(".badge:visible").waitFor();
    await page.getByRole("textbox", { name: "New task" }).fill("Half a thought");
    const { access_token: token } = await server.login(user);
    await server.call("POST", "/api/auth/logout", { scope: "others" }, token);
    await other.getByRole("link", { name: "Account" }).click();
    await other.locator("main").getByText("Your session has expired").waitFor();
    await page.locator("#notice").filter({ hasText: "You are signed out." }).waitFor();
    await signIn(page, user, null);
    await heading(page, "Your tasks");
    assert.equal(await page.getByRole("textbox", { name: "New task" }).inputValue(), "Half a thought");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("#notice").filter({ hasText: "You are signed out." }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });

  test("ended in one tab is ended in the other at once", async () => {
    const { page, context } = await open(signedIn, server);
    const other = await context.newPage();
    await other.goto("/account");
    await heading(other, "Your account");
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(other, "Sign in");
    await heading(page, "Sign in");
  });

  test("of another user in another tab replaces the first in both", async () => {
    const { page, context } = await open(signedIn, server);
    await add(page, "Ada's own");
    const other = await context.newPage();
    await other.goto("/tasks");
    await other.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Sign in");
    await signUp(other, newUser("Grace"));
    await heading(page, "Your tasks");
    await page.getByText("Nothing to do yet").waitFor();
    assert.equal(await page.getByText("Ada's own").count(), 0);
  });

  test("whose user is forbidden shows the reason", async () => {
    const { page } = await open(signedIn, server);
    await page.evaluate(() => {
      const session = JSON.parse(localStorage.getItem("api-server"));
      session.user.id = "another-user";
      localStorage.setItem("api-server", JSON.stringify(session));
    });
    await page.reload();
    await page.getByText("You are not allowed to do that.").waitFor();
  });

  test("continues by itself: two tabs with an expired token refresh once, and lose nothing", async () => {
    const short = await Server.start({ ACCESS_TOKEN_TTL: "4s" });
    try {
      const { page, context } = await open(signedIn, short);
      const other = await context.newPage();
      await other.goto("/tasks");
      await heading(other, "Your tasks");
      await new Promise((go) => setTimeout(go, 10_000));
      const refreshes = counting(context, "/api/auth/refresh");
      // Delays each refresh, so that both tabs need a new token before one of them receives it.
      await context.route("**/api/auth/refresh", async (route) => {
        await new Promise((go) => setTimeout(go, 500));
        await route.continue();
      });
      const tabs = [page, other];
      await Promise.all(tabs.map((tab, number) => add(tab, `From tab ${number}`)));
      assert.equal(refreshes.count, 1);
      await page.reload();
      await task(page, "From tab 0").waitFor();
      await task(page, "From tab 1").waitFor();
    } finally {
      await short.end();
    }
  });

  test("that ends during work reports it and keeps the work", async () => {
    const short = await Server.start({ ACCESS_TOKEN_TTL: "1s", SESSION_TTL: "2s" });
    try {
      const { page, user } = await open(signedIn, short);
      await page.getByRole("textbox", { name: "New task" }).fill("A long thought");
      await new Promise((go) => setTimeout(go, 9000));
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator("main").getByText("Your session has expired, please sign in again.").waitFor();
      await signIn(page, user, null);
      await heading(page, "Your tasks");
      assert.equal(await page.getByRole("textbox", { name: "New task" }).inputValue(), "A long thought");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await task(page, "A long thought").waitFor();
    } finally {
      await short.end();
    }
  });

  test("is over for an old tab when the secret was replaced", async () => {
    const own = await Server.start({ AUTH_SECRET: "kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je" });
    try {
      const { page, user } = await open(signedIn, own);
      await own.stop();
      await own.run({ AUTH_SECRET: "eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk" });
      await page.getByRole("textbox", { name: "New task" }).fill("After the rotation");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator("main").getByText("Your session has expired, please sign in again.").waitFor();
      await signIn(page, user, null);
      await heading(page, "Your tasks");
    } finally {
      await own.end();
    }
  });
});
