// The pages for a forgotten password: /forgot-password requests the mail, /reset is the page of its link.
import { announce, cloneTemplate, onSubmit, runOrOfferRetry } from "./ui.js";
import { text, translate } from "./language.js";

/** The token of the link, until it is used or the user leaves the page. It is kept nowhere else. */
let token = null;

/** The number of letters and digits in a code. */
const CODE_LENGTH = 8;

/** The error that the server would send for a code that lacks characters. */
const incompleteCode = () => ({
  status: 422,
  code: "VALIDATION_ERROR",
  errors: [{ field: "code", code: "incomplete", message: text("code.incomplete") }],
});

const isInvalidProof = (error) =>
  error.code === "INVALID_OR_EXPIRED_TOKEN" || error.errors?.some(({ field }) => field === "token") === true;

/** Asks for the address, and then, in a new entry of the history, for the code of the mail. */
export function showForgotPassword({ api, main, navigate, signInWith }) {
  if (history.state?.challengeId) return showCodeForm({ api, main, signInWith });
  const form = main.querySelector("form");
  onSubmit(form, async ({ email }) => {
    const { challengeId } = await api.requestPasswordReset(email);
    navigate(location.pathname + location.search, { state: { challengeId, email } });
  });
  form.elements.email.focus();
}

/** Shows the same for every address. The history keeps the id of the request, for a reload and the back button. */
function showCodeForm({ api, main, signInWith }) {
  const { email } = history.state;
  main.replaceChildren(translate(cloneTemplate("code")));
  const notice = main.querySelector("#notice");
  notice.textContent = text("sent.notice", { email });
  announce(notice.textContent);
  const form = main.querySelector("form");
  form.elements.username.value = email;
  onSubmit(form, async ({ code, new_password }) => {
    // An incomplete code must not count as one of the five tries.
    if (code.replace(/[\s-]/g, "").length !== CODE_LENGTH) throw incompleteCode();
    const proof = { challengeId: history.state.challengeId, code };
    await signInWith(() => api.confirmPasswordReset(proof, new_password)).catch((error) => {
      throw isInvalidProof(error) ? Object.assign(error, { message: text("code.invalid") }) : error;
    });
  });
  const again = main.querySelector("#again");
  again.addEventListener("click", () =>
    runOrOfferRetry(again, async () => {
      const { challengeId } = await api.requestPasswordReset(email);
      history.replaceState({ challengeId, email }, "");
      notice.textContent = text("sent.repeated", { email });
      announce(notice.textContent);
    }),
  );
}

/** Shows the form for the new password. Sends nothing until the user submits it, because scanners of mails open links. */
export function showReset({ api, main, signal, signInWith }) {
  if (location.hash) {
    token = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
  }
  signal.addEventListener("abort", () => {
    if (location.pathname !== "/reset") token = null;
  });
  if (!token) return showFailure(main, "reset.incomplete");
  const form = main.querySelector("form");
  onSubmit(form, async ({ new_password }) => {
    try {
      await signInWith(async () => {
        await api.confirmPasswordReset({ token }, new_password);
        token = null;
      });
    } catch (error) {
      if (token && !isInvalidProof(error)) throw error;
      token = null;
      showFailure(main, "reset.invalid");
    }
  });
  form.elements.new_password.focus();
}

/** Shows why the link does not work, and offers a new mail. */
function showFailure(main, key) {
  main.replaceChildren(translate(cloneTemplate("link-failed")));
  main.querySelector("#why").textContent = text(key);
  main.querySelector(".button").focus();
}
