// A forgotten password, from the mail to the signed-in user, with the mails that a live server writes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alertText, codeIn, heading, inBrowser, linkIn, newContext, newUser, signIn, task } from "./harness.mjs";

const NEW_PASSWORD = "a longer walk on the beach";
let server;
const open = inBrowser((started) => ({ server } = started));

/** Requests a mail in a browser without a session. The page then shows the form for the code. */
async function forgotten(user, options) {
  const context = await open(newContext, server, options);
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.locator("#forgot").click();
  await page.locator("[name=email]").fill(user.email);
  await page.locator("[name=email]").press("Enter");
  await page.locator("[name=code]").waitFor();
  return { context, page };
}

async function registered() {
  const user = newUser();
  const { access_token: token } = await server.call("POST", "/api/auth/register", user);
  await server.call("POST", "/api/tasks", { title: "Buy milk" }, token);
  return user;
}

async function choosePassword(page, password = NEW_PASSWORD) {
  await page.getByLabel("New password").fill(password);
  await page.getByRole("button", { name: "Set password" }).click();
}

/** Checks that only the new password signs in. */
async function isOnlyPassword(user, password) {
  const page = await (await open(newContext, server)).newPage();
  await signIn(page, user);
  assert.match(await alertText(page.locator("form")), /Invalid email or password/);
  await signIn(page, { ...user, password }, null);
  await heading(page, "Your tasks");
}

describe("a user who forgot the password", () => {
  test("opens the link of the mail, chooses a password, is signed in, and sees the tasks", async () => {
    const user = await registered();
    const elsewhere = await (await open(newContext, server)).newPage();
    await signIn(elsewhere, user);
    await task(elsewhere, "Buy milk").waitFor();
    const { page } = await forgotten(user);
    assert.match(await page.locator("#notice").innerText(), /If an account exists/);

    const link = linkIn(await server.mail("password_reset", user.email));
    const mailPage = await page.context().newPage();
    await mailPage.goto(link);
    await heading(mailPage, "Choose a new password");
    assert.equal(mailPage.url(), `${server.base}/reset`);
    await choosePassword(mailPage);
    await heading(mailPage, "Your tasks");
    await task(mailPage, "Buy milk").waitFor();
    assert.equal(mailPage.url(), `${server.base}/tasks`);
    // The tab in which the mail was requested shows the tasks, too.
    await heading(page, "Your tasks");

    // The session of the other browser has ended.
    await elsewhere.reload();
    await heading(elsewhere, "Sign in");
    await isOnlyPassword(user, NEW_PASSWORD);
  });

  test("reads the mail on another device, enters its code, and is signed in", async () => {
    const user = await registered();
    const { page } = await forgotten(user);
    const code = codeIn(await server.mail("password_reset", user.email));
    const wrong = code.replace(/./g, (letter) => (letter === "2" ? "3" : "2"));
    await page.getByLabel("Code").fill(wrong);
    await choosePassword(page);
    await page.locator("#error-code").filter({ hasText: "The code is wrong" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "code");
    await page.getByLabel("Code").fill(`${code.slice(0, 4).toLowerCase()} ${code.slice(4)}`);
    await page.getByRole("button", { name: "Set password" }).click();
    await task(page, "Buy milk").waitFor();
    await isOnlyPassword(user, NEW_PASSWORD);
  });

  test("is told that a link was used, and gets another mail", async () => {
    const user = await registered();
    await forgotten(user);
    const link = linkIn(await server.mail("password_reset", user.email));
    const first = await (await open(newContext, server)).newPage();
    await first.goto(link);
    await choosePassword(first);
    await heading(first, "Your tasks");
    const second = await (await open(newContext, server)).newPage();
    await second.goto(link);
    await choosePassword(second, "not the one that counts");
    await heading(second, "This link does not work");
    await second.getByRole("link", { name: "Request a new mail" }).click();
    await second.getByLabel("Email").fill(user.email);
    await second.getByRole("button", { name: "Send mail" }).click();
    await second.getByLabel("Code").waitFor();
    await second.goto(linkIn(await server.mail("password_reset", user.email)));
    await choosePassword(second, "the one that counts now");
    await task(second, "Buy milk").waitFor();
    await isOnlyPassword(user, "the one that counts now");
  });

  test("gets the mail and its page in German if the browser is German, and may correct a password that is refused", async () => {
    const user = await registered();
    const { page } = await forgotten(user, { locale: "de-DE" });
    await heading(page, "Lesen Sie Ihre E-Mails");
    const mail = await server.mail("password_reset", user.email);
    assert.match(mail, /neues\s+Passwort/);
    const mailPage = await page.context().newPage();
    await mailPage.goto(linkIn(mail));
    await heading(mailPage, "Neues Passwort wählen");
    for (const [password, reason] of [["", "fehlt"], ["short", "muss 8 bis 128 Zeichen haben"], ["password", "gehört zu den Passwörtern"]]) {
      await mailPage.getByLabel("Neues Passwort").fill(password);
      await mailPage.getByRole("button", { name: "Passwort speichern" }).click();
      await mailPage.locator("#error-new_password").filter({ hasText: `Neues Passwort ${reason}` }).waitFor();
      assert.equal(await mailPage.evaluate(() => document.activeElement.name), "new_password");
    }
    await mailPage.getByLabel("Neues Passwort").fill(NEW_PASSWORD);
    await mailPage.getByRole("button", { name: "Passwort speichern" }).click();
    await task(mailPage, "Buy milk").waitFor();
  });

  test("sees the same for an address without an account", async () => {
    const user = await registered();
    const known = await forgotten(user);
    const unknown = newUser();
    const other = await forgotten(unknown);
    const textOf = async ({ page }, { email }) => (await page.locator("main").innerText()).replaceAll(email, "<email>");
    assert.equal(await textOf(known, user), await textOf(other, unknown));
  });
});
