// The pages of the links in mails: /verify, /change-email, /undo-email-change, /delete-account; and parts for /reset.
import { announce, cloneTemplate, onSubmit } from "./ui.js";
import { text, translate } from "./language.js";

/** The query with which this document was loaded: the server refuses one whose `callbackURL` is not trusted. */
const CHECKED_QUERY = location.search;

/** The token of the link, until it is used or the user leaves the page. It is kept nowhere else. */
let token = null;
/** The outcome that the page shows after the token was used, for as long as the user stays on the page. */
let outcome = null;

/**
 * Takes the token out of the address, and returns it. Nothing is sent before the user presses a button, because scanners
 * of mails open links and run the scripts of their pages.
 */
export function takeToken(signal) {
  const path = location.pathname;
  if (location.hash) {
    token = location.hash.slice(1);
    outcome = null;
    history.replaceState(null, "", path + location.search);
  }
  signal.addEventListener("abort", () => {
    if (location.pathname !== path) token = outcome = null;
  });
  return token;
}

export const forgetToken = () => (token = null);

/** The URL to open after this page, with these parameters in its query; null if the link names none. */
export function callbackUrl(parameters = {}) {
  const callback = location.search === CHECKED_QUERY && new URLSearchParams(CHECKED_QUERY).get("callbackURL");
  if (!callback) return null;
  const url = new URL(callback, location.origin);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Whether the server has refused the token or the code itself. */
export const isInvalidProof = (error) =>
  error.code === "INVALID_OR_EXPIRED_TOKEN" ||
  // Better Auth's API sends this code with 404. With 401, it means that the access token is invalid.
  (error.code === "INVALID_TOKEN" && error.status === 404) || error.errors?.some(({ field }) => field === "token") === true;

/** Shows what happened, and a link to what the user can do next. */
export function showOutcome(main, { title, message, href, label, isFailure = false }) {
  main.replaceChildren(translate(cloneTemplate("outcome")));
  main.querySelector("h1").textContent = text(title);
  const notice = main.querySelector("#why");
  const link = main.querySelector(".button");
  link.textContent = text(label);
  link.href = href;
  if (isFailure) notice.setAttribute("role", "alert");
  notice.textContent = message;
  link.focus();
  if (!isFailure) announce(message);
}

/** Shows what happened to the link, and keeps it for the case that the page is shown again. */
const finish = (main, shown) => showOutcome(main, (outcome = shown));

/** Shows why a link does not work. Its `callbackURL`, if any, gets the error as from Better Auth's links. */
export function showFailure(main, message, next) {
  const href = callbackUrl({ error: "INVALID_TOKEN" });
  finish(main, { title: "link.failed", message, ...(href ? { href, label: "continue" } : next), isFailure: true });
}

/** Shows a page without a token: its outcome, if the token was used. */
export const showWithoutToken = (main, message, next) =>
  outcome ? showOutcome(main, outcome) : showFailure(main, message, next);

const toAccount = { href: "/account", label: "account.open" };
const toSignIn = { href: "/sign-in", label: "sign-in" };

/** The pages: the use of the token, the link after a success and after a failure, and the prefix `key` of the texts. */
const LINKS = {
  "/verify": {
    key: "verify",
    confirm: (api, password) => api.confirmEmailVerification({ token }, password),
    next: (user) => (user ? toAccount : toSignIn),
    otherwise: toAccount,
  },
  "/change-email": {
    key: "change",
    confirm: (api) => api.confirmEmailChange({ token }),
    next: (user) => (user ? toAccount : toSignIn),
    otherwise: toAccount,
  },
  "/undo-email-change": {
    key: "undo",
    confirm: (api) => api.undoEmailChange(token),
    next: () => toSignIn,
    otherwise: { href: "/forgot-password", label: "undo.again" },
  },
  "/delete-account": {
    key: "delete",
    // Only an app with Better Auth's client requests this mail, so its session is the one that counts.
    confirm: (api) => api.request("POST", "/api/auth/delete-user", { body: { token } }),
    next: () => ({ href: "/", label: "home" }),
    otherwise: toAccount,
  },
};

/** Shows the page of a link: what its button does, and the button. */
export function showLink({ api, user, main, signal }) {
  const link = LINKS[location.pathname];
  const { key } = link;
  if (!takeToken(signal)) return showWithoutToken(main, text("link.incomplete"), link.otherwise);
  const form = main.querySelector("form");
  const password = main.querySelector("label");
  const button = form.querySelector("button");
  main.querySelector("h1").textContent = text(`${key}.title`);
  main.querySelector("#intro").textContent = text(`${key}.intro`);
  main.querySelector("#hint").textContent = text(`${key}.hint`);
  button.textContent = text(`${key}.confirm`);
  button.dataset.busy = text(`${key}.confirm.busy`);
  button.classList.toggle("danger", key === "delete");

  onSubmit(form, async (fields) => {
    if (!password.hidden && !fields.password) throw missingPassword();
    let confirmed;
    try {
      confirmed = await link.confirm(api, fields.password || undefined);
    } catch (error) {
      const isSignedOut = error.status === 401;
      if (key === "verify" && password.hidden && (isSignedOut || error.code === "PASSWORD_REQUIRED")) return askForPassword(main, password);
      if (key === "delete" && isSignedOut) return explain(main, "delete.signed-out");
      if (!isInvalidProof(error)) throw error;
      forgetToken();
      return showFailure(main, text(`${key}.failed`), link.otherwise);
    }
    forgetToken();
    const href = callbackUrl();
    if (href) return location.replace(href);
    finish(main, { title: `${key}.done`, message: text(`${key}.effect`, confirmed), ...link.next(user) });
    // The session of this browser may have ended with the change. If so, the header no longer shows a user.
    if (user) await api.account().catch(() => {});
  });
}

/** Asks for the password, with which a user confirms an address without being signed in. */
function askForPassword(main, label) {
  label.hidden = false;
  explain(main, "verify.password");
  label.querySelector("input").focus();
}

/** Says what the user must do before the button can work. */
function explain(main, key) {
  main.querySelector("#intro").textContent = text(key);
  announce(text(key));
}

/** The error that the server would send for a password that is missing. */
const missingPassword = () => ({
  status: 422,
  code: "VALIDATION_ERROR",
  errors: [{ field: "password", code: "required", message: "is required" }],
});
