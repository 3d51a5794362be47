// What all pages share: templates, forms with their errors, messages. Text is only ever set as text.

/** A copy of a template of the document. */
export const clone = (id) => document.getElementById(id).content.cloneNode(true);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Says it to who listens instead of looking. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 50);
}

/**
 * A message that goes by itself, unless somebody is at it. `done(true)` is called when its action was taken, `done(false)`
 * when it went without.
 */
export function toast(text, { action, done = () => {}, isProblem = false } = {}) {
  const box = element("div", { className: isProblem ? "toast problem" : "toast" }, element("p", { textContent: text }));
  box.setAttribute("role", isProblem ? "alert" : "status");
  let timer;
  const end = (taken) => {
    if (!box.isConnected) return undefined;
    clearTimeout(timer);
    box.remove();
    return done(taken);
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

/** An error in words for people. */
export function words(error) {
  if (error.status === 403 && error.code === "FORBIDDEN") return `You are not allowed to do that. ${error.message}.`;
  if (error.code === "UNTRUSTED_ORIGIN") {
    return `The server does not know this address as its own. Whoever runs it can set PUBLIC_URL to ${location.origin}.`;
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

/** Whether the session is over, which the whole application hears of and shows. */
export const isOver = (error) => error.status === 401 && error.code !== "INVALID_EMAIL_OR_PASSWORD";

/** What went wrong and, if it may go right the next time, a way to try again. */
export function alertBox(error, retry) {
  const box = element("div", { className: "alert" }, element("p", { textContent: words(error) }));
  box.setAttribute("role", "alert");
  if (retry && isTemporary(error)) {
    box.append(element("button", { type: "button", className: "second", textContent: "Try again", onclick: retry }));
  }
  return box;
}

/** While `action` runs the button says so, and a second click does nothing. Focus stays where it is. */
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

/** Errors that concern one field, though the server does not say so in `errors`. */
const FIELD_OF = { __proto__: null, USER_ALREADY_EXISTS: ["email"], INVALID_PASSWORD: ["current_password", "password"] };

/** Submits by `action`, which gets the fields. What goes wrong is said at the field or above all; what was typed stays. */
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
        if (!isOver(error)) refuse(form, error);
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

function refuse(form, error) {
  const named = (FIELD_OF[error.code] ?? []).filter((name) => form.elements[name]).slice(0, 1);
  const errors = named.length > 0 ? named.map((field) => ({ field, message: error.message })) : error.errors;
  const unplaced = errors.filter((fault) => !mark(form, fault, named.length === 0));
  const first = form.querySelector("[aria-invalid]");
  if (!first || unplaced.length > 0) form.prepend(alertBox(error, () => form.requestSubmit()));
  (first ?? button(form)).focus();
}

const button = (form) => form.querySelector("button:not([type])");

/** Says what is wrong at the field; whether there is such a field. */
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

/** What is typed into the form outlives a reload and a session that ends in between, in this tab and for this user. */
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
    return null; // Blocked or full: then nothing outlives the page.
  }
}
