// The form for the code of a mail, for a user who reads mail on another device.
import { announce, cloneTemplate, onSubmit, runOrOfferRetry } from "./ui.js";
import { text, translate } from "./language.js";
import { isInvalidProof, showOutcome } from "./link.js";

/** The number of letters and digits in a code. */
const CODE_LENGTH = 8;

/** The error that the server would send for a code that lacks characters. */
const incompleteCode = () => ({
  status: 422,
  code: "VALIDATION_ERROR",
  errors: [{ field: "code", code: "incomplete", message: text("code.incomplete") }],
});

/** Whether a mail was requested before this entry of the history. The entry keeps the id of the request for a reload. */
export const hasChallenge = () => !!history.state?.challengeId;

/**
 * Shows the form for the code.
 *
 * @param main The element of the page.
 * @param {object} how
 * @param how.kind Selects the parts of the template and the texts: `reset`, `verify`, or `sent`, without a password.
 * @param how.button The key of the text of the button.
 * @param how.back The link to return by: `{ href, label }`.
 * @param how.confirm Uses the code: called with the proof and the fields of the form.
 * @param how.request Requests another mail; absent if that needs more than the address.
 */
export function showCodeForm(main, { kind, button, back, confirm, request }) {
  const { email } = history.state;
  const key = kind === "reset" ? "sent" : "mailed";
  main.replaceChildren(translate(cloneTemplate("code")));
  for (const part of main.querySelectorAll("[data-for]")) if (part.dataset.for !== kind) part.remove();
  const notice = main.querySelector("#notice");
  const form = main.querySelector("form");
  const submit = form.querySelector("button");
  const link = main.querySelector("#other");
  submit.textContent = text(button);
  submit.dataset.busy = text(`${button}.busy`);
  link.textContent = text(back.label);
  link.href = back.href;
  const say = (message) => {
    notice.textContent = message;
    announce(message);
  };
  say(text(`${key}.notice`, { email }));
  form.elements.username.value = email;
  onSubmit(form, async (fields) => {
    // An incomplete code must not count as one of the five tries.
    if (fields.code.replace(/[\s-]/g, "").length !== CODE_LENGTH) throw incompleteCode();
    const proof = { challengeId: history.state.challengeId, code: fields.code };
    await confirm(proof, fields).catch((error) => {
      throw isInvalidProof(error) ? Object.assign(error, { message: text("code.invalid") }) : error;
    });
  });
  const again = main.querySelector("#again");
  again.hidden = !request;
  again.addEventListener("click", () =>
    runOrOfferRetry(again, async () => {
      const { challengeId } = await request(email);
      history.replaceState({ challengeId, email }, "");
      say(text(`${key}.repeated`, { email }));
    }),
  );
}

/** Asks for the code that confirms an address; also for the password, to sign in, unless its user is signed in. */
export function showVerificationCode({ api, user, main, signInWith }) {
  const { email } = history.state;
  const isOwner = user?.email === email;
  let confirmed = null;
  showCodeForm(main, {
    kind: isOwner ? "sent" : "verify",
    button: "verify.confirm",
    back: isOwner ? { href: "/account", label: "account.open" } : { href: "/sign-in", label: "sign-in" },
    request: (address) => api.requestEmailVerification(isOwner ? undefined : address),
    async confirm(proof, { password }) {
      // A code works once, so after a failed sign-in only the sign-in is repeated.
      confirmed ??= await api.confirmEmailVerification(proof, password);
      if (!isOwner) return signInWith(() => api.signIn({ email, password }));
      const message = text("verify.effect", confirmed);
      return showOutcome(main, { title: "verify.done", message, href: "/account", label: "account.open" });
    },
  });
}

/** Asks for the code that changes the address. */
export function showChangeCode({ api, main }) {
  showCodeForm(main, {
    kind: "sent",
    button: "change.confirm",
    back: { href: "/account", label: "account.open" },
    async confirm(proof) {
      const message = text("change.effect", await api.confirmEmailChange(proof));
      showOutcome(main, { title: "change.done", message, href: "/account", label: "account.open" });
    },
  });
}
