// The links and codes of mails about the address, as a live server sends them, and the account page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, alertText, codeIn, heading, inBrowser, linkIn, newContext, newUser, signIn, tokenIn } from "./harness.mjs";

const NEW_PASSWORD = "a longer walk on the beach";
let server;
const open = inBrowser((started) => ({ server } = started));
const newPage = async (options) => (await open(newContext, server, options)).newPage();
const press = (page, name) => page.getByRole("button", { name }).click();

/** Registers a user. Returns the user with the mail for the confirmation of the address. */
async function registered() {
  const user = newUser();
  await server.call("POST", "/api/auth/register", user);
  return { ...user, verification: await server.mail("email_verification", user.email) };
}

test("a link that is cut off, or opened on the page of another kind, does not work, and stays valid on its own page", async () => {
  const user = await registered();
  const [link, token] = [linkIn(user.verification), tokenIn(user.verification)];
  const page = await newPage();
  for (const wrong of [link.slice(0, -1), `${link}A`, `${server.base}/verify#${token.replace(".", "")}`, `${server.base}/change-email#${token}`, `${server.base}/undo-email-change#${token}`]) {
    await page.goto("about:blank");
    await page.goto(wrong);
    await page.locator("form button").click();
    await heading(page, "This link does not work");
  }
  await page.goto(`${server.base}/reset#${token}`);
  await page.getByLabel("New password").fill(NEW_PASSWORD);
  await press(page, "Set password");
  await heading(page, "This link does not work");
  await page.goto(link);
  await press(page, "Confirm address");
  await page.getByLabel("Password").fill(PASSWORD);
  await press(page, "Confirm address");
  await heading(page, "Your address is confirmed");
});

test("a user who is signed in confirms the address with the button alone, and the account shows it", async () => {
  const user = await registered();
  const page = await newPage();
  await signIn(page, user);
  await heading(page, "Your tasks");
  await page.goto("/account");
  await page.locator("#state").filter({ hasText: "not confirmed" }).waitFor();
  await page.goto(linkIn(user.verification));
  await press(page, "Confirm address");
  await heading(page, "Your address is confirmed");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Go to your account");
  await page.keyboard.press("Enter");
  await heading(page, "Your account");
  assert.equal(await page.locator("#state").textContent(), "confirmed");
  assert.equal(await page.locator("#verify").isVisible(), false);
});

test("a user who is signed in to another account is asked for the password, and stays signed in to that account", async () => {
  const [user, other] = [await registered(), await registered()];
  const page = await newPage();
  await signIn(page, other);
  await heading(page, "Your tasks");
  await page.goto(linkIn(user.verification));
  await press(page, "Confirm address");
  await page.getByLabel("Password").fill("not the password");
  await press(page, "Confirm address");
  await page.locator("#error-password").filter({ hasText: /password is wrong/ }).waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await press(page, "Confirm address");
  await heading(page, "Your address is confirmed");
  await page.getByRole("link", { name: "Go to your account" }).click();
  await page.locator("#email").filter({ hasText: other.email }).waitFor();
  assert.equal(await page.locator("#state").textContent(), "not confirmed");
});

test("a user asks on the account page for the mail again, and enters its code", async () => {
  const user = await registered();
  const page = await newPage();
  await signIn(page, user);
  await heading(page, "Your tasks");
  await page.goto("/account");
  await press(page, "Send mail to confirm");
  await heading(page, "Read your mail");
  const mail = await server.mail("email_verification", user.email);
  await page.getByLabel("Code").fill(codeIn(mail));
  assert.equal(await page.getByLabel("Password").count(), 0);
  await press(page, "Confirm address");
  await heading(page, "Your address is confirmed");
  await page.getByRole("link", { name: "Go to your account" }).click();
  await page.locator("#state").filter({ hasText: /^confirmed$/ }).waitFor();
});

test("a user changes the address on the account page with the code, and undoes it with the mail to the previous address", async () => {
  const user = await registered();
  const newEmail = `moved-${user.email}`;
  const page = await newPage();
  await signIn(page, user);
  await heading(page, "Your tasks");
  await page.goto("/account");
  const form = page.locator("#change-email");
  await form.getByLabel("New address").fill(newEmail);
  await form.getByLabel("Password").fill("not the password");
  await press(form, "Change address");
  await form.locator("#error-password").waitFor();
  assert.equal(await form.getByLabel("New address").inputValue(), newEmail);
  await form.getByLabel("Password").fill(PASSWORD);
  await press(form, "Change address");
  await heading(page, "Read your mail");
  await page.getByText(`We are sending a mail to ${newEmail}`).first().waitFor();
  await server.mail("email_change_requested", user.email);
  await page.getByLabel("Code").fill(codeIn(await server.mail("email_change", newEmail)));
  await press(page, "Use this address");
  await heading(page, "Your address is changed");
  await page.getByRole("link", { name: "Go to your account" }).click();
  await page.locator("#email").filter({ hasText: newEmail }).waitFor();
  assert.equal(await page.locator("#state").textContent(), "confirmed");

  await page.goto(linkIn(await server.mail("email_changed", user.email)));
  await press(page, "Undo the change");
  await heading(page, "The change is undone");
  // The session of this browser has ended too. The page still says what happened.
  await page.getByRole("navigation").waitFor({ state: "hidden" });
  await heading(page, "The change is undone");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, { email: newEmail, password: PASSWORD }, null);
  assert.match(await alertText(page.locator("form")), /Invalid email or password/);
});

test("the language of mails can be chosen on the account page", async () => {
  const user = await registered();
  const page = await newPage();
  await signIn(page, user);
  await heading(page, "Your tasks");
  await page.goto("/account", { waitUntil: "networkidle" });
  await page.getByLabel("Language of mails").selectOption("Deutsch");
  await press(page, "Save language");
  await page.getByText("The language of your mails is saved.").waitFor();
  await page.reload();
  await page.waitForLoadState("networkidle");
  assert.equal(await page.getByLabel("Language of mails").inputValue(), "de");
  await server.call("POST", "/api/auth/password-reset", { email: user.email });
  assert.match(await server.mail("password_reset", user.email), /neues\s+Passwort/);
});

test("a link whose callback is not trusted is refused, and no script of ours runs", async () => {
  const page = await newPage();
  for (const callback of ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]) {
    const response = await page.goto(`/verify?callbackURL=${encodeURIComponent(callback)}#token`, { waitUntil: "networkidle" });
    assert.equal(response.status(), 403);
    await heading(page, "This link is not valid");
    assert.equal(await page.evaluate(() => document.scripts.length), 0);
    assert.equal(new URL(page.url()).origin, server.base);
  }
  await page.getByRole("link", { name: "To the first page" }).click();
  await heading(page, /calm/);
});
