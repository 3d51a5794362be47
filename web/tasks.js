// The tasks page: lists, filters, adds, edits and deletes tasks.
import {
  alertBox, announce, cloneTemplate, deleteDraft, errorText, isSessionOver, keepDraft, onSubmit, runWithButton, toast,
} from "./ui.js";

/** Tasks per page. */
const PAGE_SIZE = 50;
/** The time without typing until a search is sent, in milliseconds. */
const SEARCH_DELAY = 250;
/** The value of `completed` in a request, by the choice of the user. */
const COMPLETED = { all: undefined, open: false, done: true };

export async function showTasks({ api, user, main, signal, postpone }) {
  const list = main.querySelector("#list");
  const moreButton = main.querySelector("#more");
  const emptyNote = main.querySelector("#empty");
  const problemBox = main.querySelector("#list-problem");
  const searchField = main.querySelector("#search");
  const addForm = main.querySelector("form.add");
  const parameters = new URLSearchParams(location.search);
  const filter = { show: Object.hasOwn(COMPLETED, parameters.get("show")) ? parameters.get("show") : "all", q: parameters.get("q") ?? "" };
  /** The cursor of the next page; null after the last. */
  let next = null;
  /** Aborts the request for a list that another request replaces. */
  let loading = new AbortController();
  /** Sends the deletion that can still be undone. */
  let sendDeletion = () => {};
  postpone(() => sendDeletion());

  searchField.value = filter.q;
  main.querySelector(`[name=show][value=${filter.show}]`).checked = true;

  /** Shows a note if no task is listed. */
  function updateEmptyNote() {
    const isNarrowed = filter.show !== "all" || filter.q;
    emptyNote.hidden = list.querySelector("li:not([hidden])") !== null || !moreButton.hidden || list.ariaBusy === "true";
    emptyNote.textContent = isNarrowed ? "No task matches." : "Nothing to do yet. Write down your first task above.";
  }

  /** Loads the first page, which replaces the list, or the page at `cursor`, which is appended. */
  async function load(cursor) {
    loading.abort();
    loading = new AbortController();
    const thisLoad = loading.signal;
    problemBox.replaceChildren();
    list.ariaBusy = "true";
    try {
      const page = await api.tasks({
        completed: COMPLETED[filter.show],
        q: filter.q || undefined,
        limit: PAGE_SIZE,
        cursor,
        signal: thisLoad,
      });
      if (thisLoad.aborted) return;
      list.ariaBusy = null;
      const rows = page.tasks.map(taskItem);
      if (cursor) list.append(...rows);
      else list.replaceChildren(...rows);
      next = page.next;
      moreButton.hidden = !next;
      updateEmptyNote();
      const count = list.children.length;
      announce(`${next ? "The first " : ""}${count} ${count === 1 ? "task" : "tasks"}`);
      return rows;
    } catch (error) {
      if (thisLoad.aborted || isSessionOver(error)) return;
      list.ariaBusy = null;
      emptyNote.hidden = true;
      problemBox.replaceChildren(alertBox(error, () => load(cursor)));
    }
  }

  /** Keeps the filter in the address, and loads the tasks that match it. */
  function applyFilter() {
    const address = new URLSearchParams();
    if (filter.show !== "all") address.set("show", filter.show);
    if (filter.q) address.set("q", filter.q);
    history.replaceState(null, "", location.pathname + (address.size ? `?${address}` : ""));
    load();
  }

  function taskItem(task) {
    const item = cloneTemplate("task").firstElementChild;
    const checkbox = item.querySelector("input");
    const show = item.querySelector(".show");
    const edit = item.querySelector(".edit");
    const render = () => {
      item.classList.toggle("done", task.completed);
      checkbox.checked = task.completed;
      item.querySelector(".title").textContent = task.title;
      const description = item.querySelector(".description");
      description.textContent = task.description ?? "";
      description.hidden = !task.description;
      edit.ariaLabel = `Edit ${task.title}`;
      item.querySelector(".delete").ariaLabel = `Delete ${task.title}`;
    };

    let isChanging = false;
    /** Shows the change at once, and reverts it if the request fails. A further click waits for the request. */
    const complete = async (completed) => {
      checkbox.checked = completed;
      if (isChanging) return;
      isChanging = true;
      item.classList.toggle("done", completed);
      try {
        task = await api.changeTask(task.id, { completed });
        announce(`${task.title}: ${task.completed ? "done" : "open again"}`);
      } catch (error) {
        if (!isSessionOver(error)) offerRetry(error, () => complete(completed));
      } finally {
        const wanted = checkbox.checked; // The user may have clicked again meanwhile.
        isChanging = false;
        render();
        if (wanted !== completed && task.completed === completed) complete(wanted);
      }
    };
    checkbox.addEventListener("change", () => complete(checkbox.checked));

    edit.addEventListener("click", () => {
      const form = cloneTemplate("edit").firstElementChild;
      form.dataset.draft = `task ${task.id}`;
      form.ariaLabel = `Edit ${task.title}`;
      form.elements.title.value = task.title;
      form.elements.description.value = task.description ?? "";
      keepDraft(form, user);
      const close = () => {
        form.replaceWith(show);
        render();
        edit.focus();
      };
      const cancel = () => {
        deleteDraft(form);
        close();
      };
      form.querySelector(".cancel").addEventListener("click", cancel);
      form.addEventListener("keydown", (event) => event.key === "Escape" && cancel());
      onSubmit(form, async ({ title, description }) => {
        task = await api.changeTask(task.id, { title, description: description || null });
        close();
        announce("Saved");
      });
      show.replaceWith(form);
      form.elements.title.focus();
    });

    item.querySelector(".delete").addEventListener("click", () => {
      sendDeletion();
      const neighbour = item.nextElementSibling ?? item.previousElementSibling;
      item.hidden = true;
      (neighbour?.querySelector(".delete") ?? addForm.elements.title).focus();
      updateEmptyNote();
      const restore = () => {
        item.hidden = false;
        updateEmptyNote();
      };
      const remove = async () => {
        try {
          await api.deleteTask(task.id);
          item.remove();
        } catch (error) {
          if (error.status === 404) return item.remove();
          if (isSessionOver(error)) return;
          restore();
          offerRetry(error, () => {
            item.hidden = true;
            remove();
          });
        }
      };
      sendDeletion = toast(`Deleted “${shortTitle(task.title)}”.`, {
        action: "Undo",
        done: (isUndone) => {
          if (!isUndone) return remove();
          restore();
          item.querySelector(".delete").focus();
          announce("Not deleted");
        },
      });
    });
    render();
    return item;
  }

  /** Shows the error with a button to try again. */
  function offerRetry(error, retry) {
    toast(errorText(error), { isProblem: true, action: "Try again", done: (isChosen) => isChosen && retry() });
  }

  keepDraft(addForm, user);
  onSubmit(addForm, async ({ title, description }) => {
    const task = await api.addTask({ title, ...(description && { description }) });
    addForm.reset();
    addForm.querySelector("details").open = false;
    if (filter.show === "done" || filter.q) {
      Object.assign(filter, { show: "all", q: "" });
      searchField.value = "";
      main.querySelector("[name=show][value=all]").checked = true;
      applyFilter();
    } else {
      list.prepend(taskItem(task));
      updateEmptyNote();
    }
    addForm.elements.title.focus();
    announce(`Added ${task.title}`);
  });

  main.querySelector("#filter").addEventListener("change", (event) => {
    filter.show = event.target.value;
    applyFilter();
  });
  let searchTimer;
  searchField.addEventListener("input", () => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => {
      filter.q = searchField.value.trim();
      applyFilter();
    }, SEARCH_DELAY);
  });
  moreButton.addEventListener("click", () =>
    runWithButton(moreButton, async () => {
      const rows = await load(next);
      rows?.[0]?.querySelector("input").focus();
    }),
  );
  signal.addEventListener("abort", () => {
    clearTimeout(searchTimer);
    loading.abort();
    sendDeletion();
  });
  // Sent now, because a hidden tab may be closed without another event.
  document.addEventListener("visibilitychange", () => document.hidden && sendDeletion(), { signal });
  await load();
}

/** Cuts a title to 60 characters at most. */
const shortTitle = (title) => (title.length > 60 ? `${[...title].slice(0, 59).join("")}…` : title);
