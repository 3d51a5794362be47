// Takes the pictures of the README: API_SERVER=… node look.mjs ../../docs/images
import { Server, add, launch, newContext, signIn, signedIn } from "./harness.mjs";

const [folder] = process.argv.slice(2);
const viewport = { width: 880, height: 560 };
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";
const server = await Server.start();
const browser = await launch();

async function lookAt(page, name) {
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${folder}/${name}.png` });
}

try {
  const { page, user } = await signedIn(browser, server, { viewport });
  for (const title of ["Call the dentist", "Renew the library card"]) await add(page, title);
  await page.getByText("Add a description").click();
  await page.getByRole("textbox", { name: "Description" }).fill("Numbers from Grace, charts by Thursday.");
  for (const title of ["Draft the quarterly report", "Buy milk"]) await add(page, title);
  await page.getByRole("checkbox", { name: "Buy milk" }).check();
  await page.locator("li.done").waitFor();
  await lookAt(page, "tasks");

  for (const userAgent of [IPHONE, FIREFOX]) {
    const other = await (await newContext(browser, server, { userAgent })).newPage();
    await signIn(other, user);
    await other.getByRole("heading", { name: "Your tasks" }).waitFor();
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/sessions");
  await page.locator(".badge:visible").waitFor();
  await lookAt(page, "sessions");
} finally {
  await browser.close();
  await server.end();
}
