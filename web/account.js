// The account page: changes the name, the address, the password and the language of mails, and deletes the account.
import { announce, deleteDrafts, keepDraft, onSubmit, runOrOfferRetry, toast } from "./ui.js";
import { text } from "./language.js";

export async function showAccount(page) {
  showProfile(page);
  showAddress(page);
  showPassword(page);
  showDeletion(page);
  // The user that is stored here may be older than a change on another device.
  try {
    const user = await page.api.account();
    const isChanged = JSON.stringify(user) !== JSON.stringify(page.user);
    if (isChanged && !page.signal.aborted) showState(page.main, user);
  } catch (error) {
    const isApiError = error.status >= 0;
    if (!isApiError) throw error;
  }
}

function showProfile({ api, user, main }) {
  const nameForm = main.querySelector("#name");
  const languageForm = main.querySelector("#language");
  nameForm.elements.name.value = user.name ?? "";
  keepDraft(nameForm, user);
  onSubmit(nameForm, async ({ name }) => {
    const changed = await api.changeAccount({ name: name.trim() ? name : null });
    nameForm.elements.name.value = changed.name ?? "";
    toast(text("name.saved"));
  });
  onSubmit(languageForm, async ({ language }) => {
    await api.changeAccount({ language: language || null });
    toast(text("language.saved"));
  });
}

function showAddress({ api, user, main, navigate }) {
  const verify = main.querySelector("#verify");
  const form = main.querySelector("#change-email");
  showState(main, user);
  const openCode = (page, { challengeId }, email) => navigate(page, { state: { challengeId, email } });
  verify.addEventListener("click", () =>
    runOrOfferRetry(verify, async () => openCode("/verify", await api.requestEmailVerification(), user.email)),
  );
  onSubmit(form, async ({ password, new_email }) => {
    await openCode("/change-email", await api.requestEmailChange({ password, new_email }), new_email);
  });
}

/** Shows the address, whether it is confirmed, and the language: another device may have changed them. */
function showState(main, { email, email_verified, language }) {
  const state = main.querySelector("#state");
  main.querySelector("#email").textContent = email;
  state.textContent = text(email_verified ? "email.verified" : "email.unverified");
  state.classList.toggle("open", !email_verified);
  main.querySelector("#verify").hidden = email_verified;
  main.querySelector("#language").elements.language.value = language ?? "";
  for (const form of main.querySelectorAll("#change-email, #change-password")) form.elements.username.value = email;
}

function showPassword({ api, user, main }) {
  const form = main.querySelector("#change-password");
  onSubmit(form, async ({ current_password, new_password }) => {
    await api.changePassword({ current_password, new_password });
    form.reset();
    form.elements.username.value = user.email;
    toast(text("password.changed"));
  });
}

function showDeletion({ api, main, signal }) {
  const dialog = main.querySelector("dialog");
  main.querySelector("#ask").addEventListener("click", () => dialog.showModal());
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.querySelector("form").reset());
  signal.addEventListener("abort", () => dialog.open && dialog.close());
  onSubmit(dialog.querySelector("form"), async ({ password }) => {
    await api.deleteAccount(password);
    deleteDrafts();
    announce(text("delete.done"));
  });
}
