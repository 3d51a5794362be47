// The account page: changes the name and the password, and deletes the account.
import { announce, deleteDrafts, keepDraft, onSubmit, toast } from "./ui.js";

export function showAccount({ api, user, main, signal }) {
  const nameForm = main.querySelector("#name");
  const passwordForm = main.querySelector("#change-password");
  const dialog = main.querySelector("dialog");
  main.querySelector("#email").textContent = user.email;
  nameForm.elements.name.value = user.name ?? "";
  passwordForm.elements.username.value = user.email;
  keepDraft(nameForm, user);

  onSubmit(nameForm, async ({ name }) => {
    const changed = await api.changeAccount({ name: name.trim() ? name : null });
    nameForm.elements.name.value = changed.name ?? "";
    toast("Your name is saved.");
  });

  onSubmit(passwordForm, async ({ current_password, new_password }) => {
    await api.changePassword({ current_password, new_password });
    passwordForm.reset();
    passwordForm.elements.username.value = user.email;
    toast("Your password is changed. Every other device is signed out.");
  });

  main.querySelector("#ask").addEventListener("click", () => dialog.showModal());
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.querySelector("form").reset());
  signal.addEventListener("abort", () => dialog.open && dialog.close());
  onSubmit(dialog.querySelector("form"), async ({ password }) => {
    await api.deleteAccount(password);
    deleteDrafts();
    announce("Your account is deleted");
  });
}
