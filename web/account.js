// The account page: changes the name and the password, and deletes the account.
import { announce, forgetDrafts, keepDraft, onSubmit, toast } from "./ui.js";

export function showAccount({ api, user, main, signal }) {
  const name = main.querySelector("#name");
  const password = main.querySelector("#change-password");
  const dialog = main.querySelector("dialog");
  main.querySelector("#email").textContent = user.email;
  name.elements.name.value = user.name ?? "";
  password.elements.username.value = user.email;
  keepDraft(name, user);

  onSubmit(name, async ({ name: text }) => {
    const changed = await api.changeAccount({ name: text.trim() ? text : null });
    name.elements.name.value = changed.name ?? "";
    toast("Your name is saved.");
  });

  onSubmit(password, async ({ current_password, new_password }) => {
    await api.changePassword({ current_password, new_password });
    password.reset();
    password.elements.username.value = user.email;
    toast("Your password is changed. Every other device is signed out.");
  });

  main.querySelector("#ask").addEventListener("click", () => dialog.showModal());
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.querySelector("form").reset());
  signal.addEventListener("abort", () => dialog.open && dialog.close());
  onSubmit(dialog.querySelector("form"), async ({ password: typed }) => {
    await api.deleteAccount(typed);
    forgetDrafts();
    announce("Your account is deleted");
  });
}
