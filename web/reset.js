// The pages for a forgotten password: /forgot-password requests the mail, /reset is the page of its link.
import { cloneTemplate, onSubmit } from "./ui.js";
import { text, translate } from "./language.js";
import { hasChallenge, showCodeForm } from "./code.js";
import { callbackUrl, forgetToken, isInvalidProof, showFailure, showWithoutToken, takeToken } from "./link.js";

const toForgotPassword = { href: "/forgot-password", label: "reset.again" };

/** Asks for the address, and then, in a new entry of the history, for the code of the mail. */
export function showForgotPassword({ api, main, navigate, signInWith }) {
  if (hasChallenge()) {
    return showCodeForm(main, {
      kind: "reset",
      button: "password.set",
      back: { href: "/forgot-password", label: "sent.other" },
      confirm: (proof, fields) => signInWith(() => api.confirmPasswordReset(proof, fields.new_password)),
      request: api.requestPasswordReset,
    });
  }
  const form = main.querySelector("form");
  onSubmit(form, async ({ email }) => {
    const { challengeId } = await api.requestPasswordReset(email);
    navigate(location.pathname + location.search, { state: { challengeId, email } });
  });
  form.elements.email.focus();
}

/** Shows the form for the new password, or leads to the page of the app that has this form. */
export function showReset({ api, main, signal, signInWith }) {
  const token = takeToken(signal);
  if (!token) return showWithoutToken(main, text("reset.incomplete"), toForgotPassword);
  const href = callbackUrl({ token });
  if (href) return showContinue(main, href);
  const form = main.querySelector("form");
  onSubmit(form, async ({ new_password }) => {
    let isUsed = false;
    try {
      await signInWith(async () => {
        await api.confirmPasswordReset({ token }, new_password);
        isUsed = true;
        forgetToken();
      });
    } catch (error) {
      if (!isUsed && !isInvalidProof(error)) throw error;
      forgetToken();
      showFailure(main, text("reset.invalid"), toForgotPassword);
    }
  });
  form.elements.new_password.focus();
}

/** Shows a button that opens the form of an app with the token. Not a link, because scanners of mails follow links. */
function showContinue(main, href) {
  main.replaceChildren(translate(cloneTemplate("reset-elsewhere")));
  main.querySelector("#intro").textContent = text("reset.elsewhere", { host: new URL(href).host });
  main.querySelector("button").addEventListener("click", () => location.assign(href));
}
