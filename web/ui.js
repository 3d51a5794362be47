// Shared by all pages: templates, forms with their errors, messages. Text is always inserted as text, never as HTML.
import { serverMessage, text as textOf } from "./language.js";

/** Copies the content of the template with this id. */
export const cloneTemplate = (id) => document.getElementById(id).content.cloneNode(true);

/** Creates an element with these properties and children. */
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
 * chooses the action, and `done(false)` if the message disappears without that. Returns a function that closes it.
 */
export function toast(text, { action, done = () => {}, isProblem = false } = {}) {
  const box = element("div", { className: isProblem ? "toast problem" : "toast" }, element("p", { textContent: text }));
  box.setAttribute("role", isProblem ? "alert" : "status");
  let timer;
  const close = (isChosen) => {
    if (!box.isConnected) return undefined;
    clearTimeout(timer);
    box.remove();
    return done(isChosen);
  };
  const startTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (box.matches(":hover, :focus-within") ? startTimer() : close(false)), action ? 8000 : 5000);
  };
  if (action) box.append(element("button", { type: "button", textContent: action, onclick: () => close(true) }));
  if (isProblem) box.append(element("button", { type: "button", textContent: textOf("close"), onclick: () => close(false) }));
  document.getElementById("toasts").append(box);
  startTimer();
  return () => close(false);
}

/** The text that tells the user about an error. */
export function errorText(error) {
  if (error.status === 403 && error.code === "FORBIDDEN") return textOf("forbidden", { reason: error.message });
  if (error.code === "UNTRUSTED_ORIGIN") return textOf("origin", { origin: location.origin });
  if (error.status === 503 || error.status === 429) return `${sentence(serverMessage(error))} ${retryAdvice(error.retryAfter)}`;
  if (error.code !== "NETWORK_ERROR") return sentence(serverMessage(error));
  return textOf(navigator.onLine ? "unreachable" : "offline");
}

/** The text with a full stop at its end. */
const sentence = (text) => `${text}.`.replace(/\.\.$/, ".");

function retryAdvice(seconds) {
  if (!seconds) return textOf("retry.soon");
  return seconds < 90 ? textOf("retry.seconds", { count: seconds }) : textOf("retry.minutes", { count: Math.ceil(seconds / 60) });
}

/** Whether the same request may succeed later. */
export const isTemporary = (error) => error.status === 0 || error.status === 429 || error.status >= 500;

/** Whether the error means that the session is over. The router reports that, so a page does not show the error. */
export const isSessionOver = (error) => error.status === 401 && error.code !== "INVALID_EMAIL_OR_PASSWORD";

/** Shows an error, with a button to try again if the cause may be temporary. */
export function alertBox(error, retry) {
  const box = element("div", { className: "alert" }, element("p", { textContent: errorText(error) }));
  box.setAttribute("role", "alert");
  if (retry && isTemporary(error)) {
    box.append(element("button", { type: "button", className: "secondary", textContent: textOf("retry"), onclick: retry }));
  }
  return box;
}

/** Runs `action`, shows on the button that it runs, and ignores clicks until it ends. The button keeps the focus. */
export async function runWithButton(button, action) {
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

/** Runs the action of a button that submits no form, and shows an error with a button to try again. */
export const runOrOfferRetry = (button, action) =>
  runWithButton(button, action).catch((error) => {
    const done = (isChosen) => isChosen && button.click();
    if (!isSessionOver(error)) toast(errorText(error), { isProblem: true, action: textOf("retry"), done });
  });

/** The field of an error that the server sends without `errors`: the first of these names that the form has. */
const FIELDS_BY_CODE = {
  __proto__: null,
  USER_ALREADY_EXISTS: ["email"],
  INVALID_PASSWORD: ["current_password", "password"],
  INVALID_OR_EXPIRED_TOKEN: ["code"],
  PASSWORD_REQUIRED: ["password"],
};

/** Calls `action` with the fields when the form is submitted. Shows an error at its field or above the form. */
export function onSubmit(form, action) {
  const button = submitButton(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    runWithButton(button, async () => {
      clearErrors(form);
      try {
        await action(Object.fromEntries(new FormData(form)));
        deleteDraft(form);
      } catch (error) {
        const isApiError = error.status >= 0;
        if (!isApiError) throw error;
        if (!isSessionOver(error)) showError(form, error);
      }
    });
  });
}

function clearErrors(form) {
  for (const shown of form.querySelectorAll(".alert, .error")) shown.remove();
  for (const field of form.elements) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function showError(form, error) {
  const fieldByCode = (FIELDS_BY_CODE[error.code] ?? []).find((name) => form.elements[name]);
  const errors = fieldByCode ? [{ field: fieldByCode, code: error.code, message: error.message }] : error.errors;
  const withoutField = errors.filter((violation) => !showAtField(form, violation, !fieldByCode));
  const firstInvalid = form.querySelector("[aria-invalid]");
  if (!firstInvalid || withoutField.length > 0) form.prepend(alertBox(error, () => form.requestSubmit()));
  (firstInvalid ?? submitButton(form)).focus();
}

const submitButton = (form) => form.querySelector("button:not([type])");

/** Shows a message at its field; returns false if the form lacks it. `needsLabel`: the message starts with the verb. */
function showAtField(form, violation, needsLabel) {
  const name = violation.field;
  const field = form.elements[name];
  if (!field?.labels?.[0]) return false;
  field.closest("details")?.setAttribute("open", "");
  const label = field.dataset.label ?? field.labels[0].firstChild.textContent.trim();
  const message = serverMessage(violation);
  const textContent = sentence(needsLabel ? `${label} ${message}` : message);
  const error = element("p", { className: "error", id: `error-${name}`, textContent });
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
  field.labels[0].after(error);
  return true;
}

/** The prefix of the keys of drafts in `sessionStorage`. */
const DRAFT_PREFIX = "draft:";

/** Keeps what the user types across a reload and a new sign-in, in this tab and for this user only. */
export function keepDraft(form, user) {
  const key = `${DRAFT_PREFIX}${user.id}:${form.dataset.draft}`;
  form.dataset.draftKey = key;
  const draft = JSON.parse(useSessionStorage((storage) => storage.getItem(key)) ?? "{}");
  for (const [name, value] of Object.entries(draft)) {
    form.elements[name].value = value;
    if (value) form.elements[name].closest("details")?.setAttribute("open", "");
  }
  form.addEventListener("input", () => {
    const fields = JSON.stringify(Object.fromEntries(new FormData(form)));
    useSessionStorage((storage) => storage.setItem(key, fields));
  });
}

/** Deletes the draft of a form. */
export const deleteDraft = (form) => useSessionStorage((storage) => storage.removeItem(form.dataset.draftKey));

/** Deletes the drafts of all forms and users in this tab. */
export const deleteDrafts = () =>
  useSessionStorage((storage) => {
    for (const key of Object.keys(storage)) if (key.startsWith(DRAFT_PREFIX)) storage.removeItem(key);
  });

/** Returns the result of `use`; null if the browser blocks the storage or has no space left. */
function useSessionStorage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null; // The page works without it, but a draft does not survive a reload.
  }
}
