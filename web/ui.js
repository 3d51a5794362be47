// Shared by all pages: templates, forms with their errors, messages. Text is always set as text, never as HTML.

/** Copies the template with this id. */
export const clone = (id) => document.getElementById(id).content.cloneNode(true);

export function element(name, properties = {}, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

/** Announces the text to screen readers. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 50);
}

/**
 * Shows a message that disappears by itself, but not while it is hovered or focused. Calls `done(true)` if the user
 * chooses its action, and `done(false)` if it disappears without.
 */
export function toast(text, { action, done = () => {}, isProblem = false } = {}) {
  const box = element("div", { className: isProblem ? "toast problem" : "toast" }, element("p", { textContent: text }));
  box.setAttribute("role", isProblem ? "alert" : "status");
  let timer;
  const end = (isChosen) => {
    if (!box.isConnected) return undefined;
    clearTimeout(timer);
    box.remove();
    return done(isChosen);
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (box.matches(":hover, :focus-within") ? wait() : end(false)), action ? 8000 : 5000);
  };
  if (action) box.append(element("button", { type: "button", textContent: action, onclick: () => end(true) }));
  if (isProblem) box.append(element("button", { type: "button", textContent: "Close", onclick: () => end(false) }));
  document.getElementById("toasts").append(box);
  wait();
  return () => end(false);
}

/** The text of an error for the user. */
export function words(error) {
  if (error.status === 403 && error.code === "FORBIDDEN") return `You are not allowed to do that. ${error.message}.`;
  if (error.code === "UNTRUSTED_ORIGIN") {
    return `The server does not know this address as its own. Its operator can set PUBLIC_URL to ${location.origin}.`;
  }
  if (error.status === 503 || error.status === 429) return `${error.message}. ${when(error.retryAfter)}`;
  if (error.code !== "NETWORK_ERROR") return `${error.message}.`.replace(/\.\.$/, ".");
  return navigator.onLine ? "The server cannot be reached." : "You are offline.";
}

function when(seconds) {
  if (!seconds) return "Please try again shortly.";
  const minutes = Math.ceil(seconds / 60);
  return seconds < 90 ? `Please try again in ${seconds} s.` : `Please try again in ${minutes} minutes.`;
}

export const isTemporary = (error) => error.status === 0 || error.status === 429 || error.status >= 500;

/** Whether the session is over. The application reports that itself, so a page need not show the error. */
export const isOver = (error) => error.status === 401 && error.code !== "INVALID_EMAIL_OR_PASSWORD";

/** Shows an error, with a button to try again if the cause may be temporary. */
export function alertBox(error, retry) {
  const box = element("div", { className: "alert" }, element("p", { textContent: words(error) }));
  box.setAttribute("role", "alert");
  if (retry && isTemporary(error)) {
    box.append(element("button", { type: "button", className: "second", textContent: "Try again", onclick: retry }));
  }
  return box;
}

/** Shows on the button that `action` runs, and ignores further clicks until it ends. The focus does not move. */
export async function busy(button, action) {
  if (button.ariaDisabled === "true") return;
  const label = button.textContent;
  button.ariaDisabled = "true";
  if (button.dataset.busy) button.textContent = button.dataset.busy;
  try {
    return await action();
  } finally {
    button.ariaDisabled = null;
    button.textContent = label;
  }
}

/** The fields of errors that concern one field although the server does not list it in `errors`. */
const FIELD_OF = { __proto__: null, USER_ALREADY_EXISTS: ["email"], INVALID_PASSWORD: ["current_password", "password"] };

/** Submits the fields with `action`. Shows an error at its field or above the form, and keeps what the user typed. */
export function onSubmit(form, action) {
  const button = form.querySelector("button:not([type])");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(button, async () => {
      clear(form);
      try {
        await action(Object.fromEntries(new FormData(form)));
        forgetDraft(form);
      } catch (error) {
        if (!(error.status >= 0)) throw error;
        if (!isOver(error)) showError(form, error);
      }
    });
  });
}

function clear(form) {
  for (const old of form.querySelectorAll(".alert, .error")) old.remove();
  for (const field of form.elements) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function showError(form, error) {
  const named = (FIELD_OF[error.code] ?? []).filter((name) => form.elements[name]).slice(0, 1);
  const errors = named.length > 0 ? named.map((field) => ({ field, message: error.message })) : error.errors;
  const unplaced = errors.filter((violation) => !mark(form, violation, named.length === 0));
  const first = form.querySelector("[aria-invalid]");
  if (!first || unplaced.length > 0) form.prepend(alertBox(error, () => form.requestSubmit()));
  (first ?? button(form)).focus();
}

const button = (form) => form.querySelector("button:not([type])");

/** Shows the error at its field; returns whether the form has that field. */
function mark(form, { field: name, message }, isRule) {
  const field = form.elements[name];
  if (!field?.labels?.[0]) return false;
  field.closest("details")?.setAttribute("open", "");
  const label = field.dataset.label ?? field.labels[0].firstChild.textContent.trim();
  const text = isRule ? `${label} ${message}` : message;
  const error = element("p", { className: "error", id: `error-${name}`, textContent: `${text}.`.replace(/\.\.$/, ".") });
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
  field.labels[0].after(error);
  return true;
}

const DRAFT = "draft:";

/** Keeps what the user types across a reload and a new sign-in, in this tab and for this user only. */
export function keepDraft(form, user) {
  const key = `${DRAFT}${user.id}:${form.dataset.draft}`;
  form.dataset.draftKey = key;
  const kept = JSON.parse(storage((session) => session.getItem(key)) ?? "{}");
  for (const [name, value] of Object.entries(kept)) {
    form.elements[name].value = value;
    if (value) form.elements[name].closest("details")?.setAttribute("open", "");
  }
  form.addEventListener("input", () => {
    const typed = JSON.stringify(Object.fromEntries(new FormData(form)));
    storage((session) => session.setItem(key, typed));
  });
  return Object.keys(kept).length > 0;
}

export const forgetDraft = (form) => storage((session) => session.removeItem(form.dataset.draftKey));

export const forgetDrafts = () =>
  storage((session) => {
    for (const key of Object.keys(session)) if (key.startsWith(DRAFT)) session.removeItem(key);
  });

function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null; // Blocked or full: drafts are lost with the page.
  }
}
