// Takes the pictures of docs/mails, for `.ci/mails`: node look-at-mails.mjs CHROMIUM FOLDER-OF-HTML FOLDER-OF-PICTURES
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, source, target] = process.argv.slice(2);
// Text in shades of grey makes the pictures smaller.
const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-lcd-text"];
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage({ viewport: { width: 580, height: 200 }, deviceScaleFactor: 0.8, javaScriptEnabled: false });
  await page.route("**", (route) => route.abort());
  for (const name of await readdir(source)) {
    await page.setContent(await readFile(join(source, name), "utf8"));
    await page.screenshot({ path: join(target, name.replace(/html$/, "png")), fullPage: true });
  }
} finally {
  await browser.close();
}
