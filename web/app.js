// The router: shows the page of the address, and signs the user in and out.
import { createClient, localStore } from "./client.js";
import { announce, cloneTemplate, deleteDrafts, errorText, isSessionOver, onSubmit, runOrOfferRetry, runWithButton, toast } from "./ui.js";
import { browserLanguage, setLanguage, text, translate } from "./language.js";
import { showAccount } from "./account.js";
import { hasChallenge, showChangeCode, showVerificationCode } from "./code.js";
import { showLink } from "./link.js";
import { showForgotPassword, showReset } from "./reset.js";
import { showSessions } from "./sessions.js";
import { showTasks } from "./tasks.js";

/** The key of the session in `localStorage`. */
const STORAGE_KEY = "api-server";

/**
 * The pages by their path. A guarded page needs a signed-in user, an open page is for all users, and the others are for
 * users who are not signed in. A page with `untilSignIn` is left when a user signs in in another tab. A page with
 * `titleKey` is in the browser's language, one with `title` in English.
 */
const PAGES = {
  __proto__: null,
  "/": { titleKey: "nav.tasks", template: "welcome" },
  "/sign-in": { titleKey: "sign-in", template: "sign-in", show: showSignIn },
  "/sign-up": { titleKey: "sign-up.title", template: "sign-up", show: showSignUp },
  "/forgot-password": { titleKey: "forgot.title", template: "forgot-password", show: showForgotPassword, isOpen: true, untilSignIn: true },
  "/reset": { titleKey: "reset.title", template: "reset", show: showReset, isOpen: true, untilSignIn: true },
  "/verify": { titleKey: "verify.title", template: "link", show: linkOrCode(showVerificationCode), isOpen: true },
  "/change-email": { titleKey: "change.title", template: "link", show: linkOrCode(showChangeCode), isOpen: true },
  "/undo-email-change": { titleKey: "undo.title", template: "link", show: showLink, isOpen: true },
  "/delete-account": { titleKey: "delete.title", template: "link", show: showLink, isOpen: true },
  "/tasks": { title: "Your tasks", template: "tasks", show: showTasks, isGuarded: true },
  "/account": { titleKey: "account.title", template: "account", show: showAccount, isGuarded: true },
  "/sessions": { title: "Your sessions", template: "sessions", show: showSessions, isGuarded: true },
};

const main = document.getElementById("main");
const nav = document.getElementById("nav");
/** Aborts the work of the current page when the user leaves it. */
let pageAbort = new AbortController();
/** Runs what the current page has postponed, such as a deletion that can still be undone. */
let runPostponed = () => {};
/** The key of the text that the sign-in page shows next, such as why the user was signed out. */
let notice = "";
/** True while the user signs in or up: an error of the session is then shown at the form, not as an expired session. */
let isSigningIn = false;
/** The id of the user that the current page shows; null if signed out. */
let shownUserId = null;

const api = createClient({
  cookies: true,
  store: localStore(STORAGE_KEY),
  onSignedOut: showSignedOut,
  // A deletion continues after the page is closed.
  fetch: (address, init) => fetch(address, { ...init, keepalive: init.method === "DELETE" }),
});

/** Shows the page of the address, or the sign-in page first if the page needs a user. */
async function showPage({ isFirst = false } = {}) {
  const user = await api.user();
  const path = PAGES[location.pathname] ? location.pathname : "/";
  const next = addressAfterSignIn(location.search);
  if (PAGES[path].isGuarded && !user) {
    return navigate(`/sign-in?next=${encodeURIComponent(path + location.search)}`, { isReplacing: true });
  }
  if (!PAGES[path].isGuarded && !PAGES[path].isOpen && user) return navigate(next, { isReplacing: true });
  pageAbort.abort();
  pageAbort = new AbortController();
  runPostponed = () => {};
  shownUserId = user?.id ?? null;
  const page = PAGES[path];
  setLanguage(page.titleKey ? browserLanguage : "en");
  const title = page.titleKey ? text(page.titleKey) : page.title;
  document.title = path === "/" ? title : `${title} · Tasks`;
  nav.hidden = !user;
  for (const link of nav.querySelectorAll("a")) link.ariaCurrent = link.pathname === path ? "page" : null;
  main.replaceChildren(translate(cloneTemplate(page.template)));
  for (const link of main.querySelectorAll("[data-next]")) link.search = location.search;
  if (!isFirst) {
    scrollTo(0, 0);
    main.focus();
    announce(title);
  }
  const postpone = (action) => (runPostponed = action);
  await page.show?.({ api, user, main, navigate, signInWith, signOut, signal: pageAbort.signal, postpone });
}

/** Changes the address, as a new entry of the history or instead of the current one, and shows its page. */
function navigate(address, { isReplacing = false, state = null } = {}) {
  history[isReplacing ? "replaceState" : "pushState"](state, "", address);
  return showPage();
}

/** The address to open after signing in: always one of our own pages, even if `next` names another site. */
function addressAfterSignIn(search) {
  const wanted = new URLSearchParams(search).get("next") ?? "";
  if (!URL.canParse(wanted, location.origin)) return "/tasks";
  const next = new URL(wanted, location.origin);
  return next.origin === location.origin && PAGES[next.pathname]?.isGuarded ? next.pathname + next.search : "/tasks";
}

/** Shows the sign-in page after the session is over. `error` is the server's 401; it is absent after a sign-out. */
function showSignedOut(error) {
  if (isSigningIn) return;
  notice = error ? "sign-in.expired" : "sign-in.ended";
  showPage();
}

/** Signs out at the user's request, and then deletes the drafts, which the next user of the browser must not read. */
async function signOut() {
  await runPostponed();
  await api.signOut();
  deleteDrafts();
}

/** Signs in or up with `action`, and opens the page that the user wanted, unless `action` returns false. */
async function signInWith(action) {
  isSigningIn = true;
  try {
    if ((await action()) === false) return;
    // Fails with 401 if the browser has rejected the cookies.
    await api.request("GET", "/api/auth/session").catch((error) => {
      throw isSessionOver(error) ? Object.assign(error, { message: text("sign-in.cookies"), status: 0, code: "NO_COOKIES" }) : error;
    });
  } finally {
    isSigningIn = false;
  }
  navigate(addressAfterSignIn(location.search), { isReplacing: true });
}

function showSignIn({ main }) {
  const box = main.querySelector("#notice");
  const key = navigator.cookieEnabled ? notice : "sign-in.cookies";
  box.textContent = key && text(key);
  box.hidden = !key;
  if (key) announce(box.textContent);
  notice = "";
  const unverified = main.querySelector("#unverified");
  const again = unverified.querySelector("button");
  const form = main.querySelector("form");
  onSubmit(form, async (credentials) => {
    unverified.hidden = true;
    try {
      await signInWith(() => api.signIn(credentials));
    } catch (error) {
      if (error.code !== "EMAIL_NOT_VERIFIED") throw error;
      unverified.querySelector("p").textContent = text("sign-in.unverified", credentials);
      unverified.hidden = false;
      again.focus();
    }
  });
  again.addEventListener("click", () =>
    runOrOfferRetry(again, async () => {
      const credentials = Object.fromEntries(new FormData(form));
      await askForCode(credentials, await api.requestEmailVerification(credentials.email));
    }),
  );
  form.elements.email.focus();
}

function showSignUp({ main }) {
  const form = main.querySelector("form");
  onSubmit(form, async ({ name, ...credentials }) => {
    let result;
    await signInWith(async () => {
      result = await api.signUp({ ...credentials, ...(name && { name }) });
      return !result.challengeId;
    });
    // The server requires the proof of an address before the first sign-in.
    if (result.challengeId) await askForCode(credentials, result);
  });
  form.elements.name.focus();
}

/** Opens the form for the code of a mail that confirms the address. The password stays in its field, and nowhere else. */
async function askForCode({ email, password }, { challengeId }) {
  await navigate(`/verify${location.search}`, { state: { challengeId, email } });
  const field = main.querySelector("[name=password]");
  if (field) field.value = password;
}

/** Returns a function that shows the page of a link, or the form for the code of the same mail. */
function linkOrCode(showCode) {
  return (page) => (hasChallenge() ? showCode(page) : showLink(page));
}

document.getElementById("sign-out").addEventListener("click", (event) =>
  runWithButton(event.target, signOut).catch((error) =>
    toast(text("sign-out.failed", { reason: errorText(error) }), { isProblem: true }),
  ),
);

// Opens links to these pages without loading the document again, unless the user wants a new tab or a download.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (link?.matches(".skip")) {
    // The fragment of the address stays as it is, because it may belong to a link of a mail.
    event.preventDefault();
    return main.focus();
  }
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || link.origin !== location.origin || !PAGES[link.pathname] || link.hash) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});

addEventListener("popstate", () => showPage());
// The user may have changed: the browser has restored an old page, or another tab has signed in or out.
async function showPageIfUserChanged() {
  const user = await api.user();
  if ((user?.id ?? null) === shownUserId) return;
  if (user && PAGES[location.pathname]?.untilSignIn) return navigate("/tasks", { isReplacing: true });
  return showPage();
}
addEventListener("pageshow", (event) => event.persisted && showPageIfUserChanged());
addEventListener("storage", (event) => event.key === STORAGE_KEY && event.newValue && showPageIfUserChanged());
addEventListener("offline", () => toast(text("offline.notice"), { isProblem: true }));
addEventListener("online", () => toast(text("online.notice")));

showPage({ isFirst: true });
