// The router: shows the page of the address, and signs the user in and out.
import { createClient, localStore } from "./client.js";
import { announce, busy, clone, forgetDrafts, isOver, onSubmit, toast, words } from "./ui.js";
import { showAccount } from "./account.js";
import { showSessions } from "./sessions.js";
import { showTasks } from "./tasks.js";

const KEY = "api-server";
const NO_COOKIES = "Your browser does not keep our cookies, so you cannot stay signed in. Allow cookies for this site and try again.";
const EXPIRED = "Your session has expired, please sign in again.";

const PAGES = {
  __proto__: null,
  "/": { title: "Tasks", template: "welcome" },
  "/sign-in": { title: "Sign in", template: "sign-in", show: showSignIn },
  "/sign-up": { title: "Create an account", template: "sign-up", show: showSignUp },
  "/tasks": { title: "Your tasks", template: "tasks", show: showTasks, isGuarded: true },
  "/account": { title: "Your account", template: "account", show: showAccount, isGuarded: true },
  "/sessions": { title: "Your sessions", template: "sessions", show: showSessions, isGuarded: true },
};

const main = document.getElementById("main");
const nav = document.getElementById("nav");
/** Aborts the work of the current page when the user leaves it. */
let leaving = new AbortController();
/** Carries out what the current page has postponed, such as a deletion that can still be undone. */
let finish = () => {};
/** The notice that the sign-in page shows. */
let notice = "";
/** True while the user signs in or up: a session that fails then is reported at the form, not as expired. */
let isEntering = false;
/** The id of the user for whom the current page is shown; null if signed out. */
let shownTo = null;

const api = createClient({
  cookies: true,
  store: localStore(KEY),
  onSignedOut: signedOut,
  // A deletion continues after the page is closed.
  fetch: (address, init) => fetch(address, { ...init, keepalive: init.method === "DELETE" }),
});

/** Shows the page of the address, or the sign-in page first if it needs a user. */
async function route({ isFirst = false } = {}) {
  const user = await api.user();
  const path = PAGES[location.pathname] ? location.pathname : "/";
  const next = nextOf(location.search);
  if (PAGES[path].isGuarded && !user) return go(`/sign-in?next=${encodeURIComponent(path + location.search)}`, true);
  if (!PAGES[path].isGuarded && user) return go(next, true);
  leaving.abort();
  leaving = new AbortController();
  finish = () => {};
  shownTo = user?.id ?? null;
  const page = PAGES[path];
  document.title = path === "/" ? page.title : `${page.title} · Tasks`;
  nav.hidden = !user;
  for (const link of nav.querySelectorAll("a")) link.ariaCurrent = link.pathname === path ? "page" : null;
  main.replaceChildren(clone(page.template));
  for (const link of main.querySelectorAll("[data-next]")) link.search = location.search;
  if (!isFirst) {
    scrollTo(0, 0);
    main.focus();
    announce(page.title);
  }
  await page.show?.({ api, user, main, signOut, signal: leaving.signal, postpone: (action) => (finish = action) });
}

function go(address, isReplacing = false) {
  history[isReplacing ? "replaceState" : "pushState"](null, "", address);
  return route();
}

/** The address to open after signing in: always one of our own pages, whatever `next` contains. */
function nextOf(search) {
  const wanted = new URLSearchParams(search).get("next") ?? "";
  if (!URL.canParse(wanted, location.origin)) return "/tasks";
  const next = new URL(wanted, location.origin);
  return next.origin === location.origin && PAGES[next.pathname]?.isGuarded ? next.pathname + next.search : "/tasks";
}

function signedOut(error) {
  if (isEntering) return;
  notice = error ? EXPIRED : "You are signed out.";
  route();
}

/** Signs out at the user's request, and then deletes the drafts, so that the next user of the browser cannot read them. */
async function signOut() {
  await finish();
  await api.signOut();
  forgetDrafts();
}

async function enter(action) {
  isEntering = true;
  try {
    await action();
    // Fails at once if the browser has rejected the cookies.
    await api.request("GET", "/api/auth/session").catch((error) => {
      throw isOver(error) ? Object.assign(error, { message: NO_COOKIES, status: 0, code: "NO_COOKIES" }) : error;
    });
  } finally {
    isEntering = false;
  }
  go(nextOf(location.search), true);
}

function showSignIn({ main }) {
  const box = main.querySelector("#notice");
  box.textContent = navigator.cookieEnabled ? notice : NO_COOKIES;
  box.hidden = !box.textContent;
  if (box.textContent) announce(box.textContent);
  notice = "";
  const form = main.querySelector("form");
  onSubmit(form, (credentials) => enter(() => api.signIn(credentials)));
  form.elements.email.focus();
}

function showSignUp({ main }) {
  const form = main.querySelector("form");
  onSubmit(form, ({ name, ...credentials }) => enter(() => api.signUp({ ...credentials, ...(name && { name }) })));
  form.elements.name.focus();
}

document.getElementById("sign-out").addEventListener("click", (event) =>
  busy(event.target, signOut).catch((error) =>
    toast(`${words(error)} You are still signed in.`, { isProblem: true }),
  ),
);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || link.origin !== location.origin || !PAGES[link.pathname] || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
});

addEventListener("popstate", () => route());
// The page may belong to another user: restored from the back/forward cache, or after a sign-in in another tab.
const check = async () => ((await api.user())?.id ?? null) !== shownTo && route();
addEventListener("pageshow", (event) => event.persisted && check());
addEventListener("storage", (event) => event.key === KEY && event.newValue && check());
addEventListener("offline", () => toast("You are offline. What you type stays here.", { isProblem: true }));
addEventListener("online", () => toast("You are online again."));

route({ isFirst: true });
