// Tests sign-up and sign-in on a server that requires a verified address, and the form of `/verify` for the code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, alertText, codeIn, focused, heading, inBrowser, linkIn, newContext, newUser, signIn, tabTo } from "./harness.mjs";

let server;
const open = inBrowser((started) => ({ server } = started), { EMAIL_VERIFICATION: "required" });
const newPage = async (options) => (await open(newContext, server, options)).newPage();
const press = (page, name) => page.getByRole("button", { name }).click();

/** Fills in and sends the sign-up form. Returns the page, which then asks for the code of the mail. */
async function signedUp(user, { address = "/sign-up", ...options } = {}) {
  const page = await newPage(options);
  await page.goto(address);
  await page.locator("[name=name]").fill(user.name);
  await page.locator("[name=email]").fill(user.email);
  await page.locator("[name=password]").fill(user.password);
  await page.locator("form button").click();
  await page.locator("[name=code]").waitFor();
  return page;
}

/** What the page keeps outside its fields: address, HTML, history state, storage, and cookies that scripts can read. */
const kept = (page) => page.evaluate(() => location.href + document.documentElement.outerHTML + JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));

test("a user signs up, enters the code of the mail, and is signed in with the password that is still in the form", async () => {
  const user = newUser();
  const page = await signedUp(user, { address: "/sign-up?next=%2Faccount" });
  await heading(page, "Read your mail");
  await page.getByText(`We are sending a mail to ${user.email}`).first().waitFor();
  assert(!(await kept(page)).includes(user.password));
  assert.equal(await page.getByLabel("Password").inputValue(), user.password);
  await page.getByLabel("Code").fill(codeIn(await server.mail("email_verification", user.email)));
  await press(page, "Confirm address");
  await heading(page, "Your account");
  assert.equal(await page.locator("#state").textContent(), "confirmed");
});

test("after a reload the password is asked for, and a wrong one uses up nothing", async () => {
  const user = newUser();
  const page = await signedUp(user);
  await page.reload();
  await heading(page, "Read your mail");
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await page.getByLabel("Code").fill(codeIn(await server.mail("email_verification", user.email)));
  for (const wrong of ["", "not the password"]) {
    await page.getByLabel("Password").fill(wrong);
    await press(page, "Confirm address");
    await page.locator("#error-password").waitFor();
    assert.equal(await focused(page), "password");
  }
  await page.getByLabel("Password").fill(PASSWORD);
  await press(page, "Confirm address");
  await heading(page, "Your tasks");
});

test("the link of the mail asks for the password elsewhere, signs nobody in, and leads to the sign-in", async () => {
  const user = newUser();
  await signedUp(user);
  const page = await newPage();
  await page.goto(linkIn(await server.mail("email_verification", user.email)));
  await press(page, "Confirm address");
  await page.getByText("You are not signed in to this account here").first().waitFor();
  assert.equal(await focused(page), "password");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await heading(page, "Your address is confirmed");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, user, null);
  await heading(page, "Your tasks");
});

test("a taken address looks like a new one, and no code of its page works", async () => {
  const owner = newUser();
  const first = await signedUp(owner);
  await server.mail("email_verification", owner.email);
  const second = await signedUp({ ...owner, password: "the password of another person" });
  const textOf = (page) => page.locator("main").innerText();
  assert.equal(await textOf(second), await textOf(first));
  await second.getByLabel("Code").fill("ABCD2345");
  await press(second, "Confirm address");
  await second.locator("#error-code").waitFor();
});

test("a sign-in before the confirmation explains what is missing, and sends the mail again", async () => {
  const user = newUser();
  await signedUp(user);
  await server.mail("email_verification", user.email);
  const page = await newPage();
  await signIn(page, { ...user, password: "not the password" });
  assert.match(await alertText(page.locator("form")), /Invalid email or password/);
  await signIn(page, user, null);
  const box = page.locator("#unverified");
  await box.filter({ hasText: `The address ${user.email} is not confirmed yet` }).waitFor();
  assert.equal(await focused(page), "Send another mail");
  await page.keyboard.press("Enter");
  await heading(page, "Read your mail");
  assert(!(await kept(page)).includes(user.password));
  await page.getByLabel("Code").fill(codeIn(await server.mail("email_verification", user.email)));
  await press(page, "Confirm address");
  await heading(page, "Your tasks");
});

test("sign-up, mail and confirmation are in German in a German browser, and work by keyboard alone", async () => {
  const user = newUser();
  const page = await newPage({ locale: "de-DE" });
  await page.goto("/");
  await heading(page, /Alles, was Sie vorhaben/);
  await tabTo(page, "Konto anlegen");
  await page.keyboard.press("Enter");
  await heading(page, "Konto anlegen");
  await tabTo(page, "email");
  await page.keyboard.type(user.email);
  await tabTo(page, "password");
  await page.keyboard.type("short");
  await page.keyboard.press("Enter");
  await page.locator("#error-password").filter({ hasText: "Passwort muss 8 bis 128 Zeichen haben." }).waitFor();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(user.password);
  await page.keyboard.press("Enter");
  await heading(page, "Lesen Sie Ihre E-Mails");
  const mail = await server.mail("email_verification", user.email);
  assert.match(mail, /bestätig/);
  await tabTo(page, "code");
  await page.keyboard.type(codeIn(mail).toLowerCase());
  await tabTo(page, "Adresse bestätigen");
  await page.keyboard.press("Enter");
  await heading(page, "Your tasks");
});
