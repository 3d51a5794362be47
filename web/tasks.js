// The tasks page: lists, filters, adds, edits and deletes tasks.
import { alertBox, announce, busy, clone, forgetDraft, isOver, keepDraft, onSubmit, toast, words } from "./ui.js";

/** Tasks per page. */
const PAGE = 50;
/** Milliseconds without typing until a search is sent. */
const TYPING = 250;
const COMPLETED = { all: undefined, open: false, done: true };

export async function showTasks({ api, user, main, signal, postpone }) {
  const list = main.querySelector("#list");
  const more = main.querySelector("#more");
  const empty = main.querySelector("#empty");
  const problem = main.querySelector("#list-problem");
  const search = main.querySelector("#search");
  const add = main.querySelector("form.add");
  const parameters = new URLSearchParams(location.search);
  const filter = { show: Object.hasOwn(COMPLETED, parameters.get("show")) ? parameters.get("show") : "all", q: parameters.get("q") ?? "" };
  let next = null;
  let loading = new AbortController();
  /** Sends the deletion that can still be undone. */
  let settle = () => {};
  postpone(() => settle());

  search.value = filter.q;
  main.querySelector(`[name=show][value=${filter.show}]`).checked = true;

  function showEmpty() {
    const isNarrowed = filter.show !== "all" || filter.q;
    empty.hidden = list.querySelector("li:not([hidden])") !== null || !more.hidden || list.ariaBusy === "true";
    empty.textContent = isNarrowed ? "No task matches." : "Nothing to do yet. Write down your first task above.";
  }

  /** Loads the first page, which replaces the list, or the page at `cursor`, which is appended. */
  async function load(cursor) {
    loading.abort();
    loading = new AbortController();
    const mine = loading.signal;
    problem.replaceChildren();
    list.ariaBusy = "true";
    try {
      const page = await api.tasks({
        completed: COMPLETED[filter.show],
        q: filter.q || undefined,
        limit: PAGE,
        cursor,
        signal: mine,
      });
      if (mine.aborted) return;
      list.ariaBusy = null;
      const rows = page.tasks.map(row);
      if (cursor) list.append(...rows);
      else list.replaceChildren(...rows);
      next = page.next;
      more.hidden = !next;
      showEmpty();
      const count = list.children.length;
      announce(`${next ? "The first " : ""}${count} ${count === 1 ? "task" : "tasks"}`);
      return rows;
    } catch (error) {
      if (mine.aborted || isOver(error)) return;
      list.ariaBusy = null;
      empty.hidden = true;
      problem.replaceChildren(alertBox(error, () => load(cursor)));
    }
  }

  function narrow() {
    const address = new URLSearchParams();
    if (filter.show !== "all") address.set("show", filter.show);
    if (filter.q) address.set("q", filter.q);
    history.replaceState(null, "", location.pathname + (address.size ? `?${address}` : ""));
    load();
  }

  function row(task) {
    const item = clone("task").firstElementChild;
    const tick = item.querySelector("input");
    const show = item.querySelector(".show");
    const edit = item.querySelector(".edit");
    const fill = () => {
      item.classList.toggle("done", task.completed);
      tick.checked = task.completed;
      item.querySelector(".title").textContent = task.title;
      const description = item.querySelector(".description");
      description.textContent = task.description ?? "";
      description.hidden = !task.description;
      edit.ariaLabel = `Edit ${task.title}`;
      item.querySelector(".delete").ariaLabel = `Delete ${task.title}`;
    };

    /** Shows the change at once, and reverts it if the request fails. */
    let isTicking = false;
    const complete = async (completed) => {
      tick.checked = completed;
      if (isTicking) return;
      isTicking = true;
      item.classList.toggle("done", completed);
      try {
        task = await api.changeTask(task.id, { completed });
        announce(`${task.title}: ${task.completed ? "done" : "open again"}`);
      } catch (error) {
        if (!isOver(error)) failed(error, () => complete(completed));
      } finally {
        const wanted = tick.checked;
        isTicking = false;
        fill();
        if (wanted !== completed && task.completed === completed) complete(wanted);
      }
    };
    tick.addEventListener("change", () => complete(tick.checked));

    edit.addEventListener("click", () => {
      const form = clone("edit").firstElementChild;
      form.dataset.draft = `task ${task.id}`;
      form.ariaLabel = `Edit ${task.title}`;
      form.elements.title.value = task.title;
      form.elements.description.value = task.description ?? "";
      keepDraft(form, user);
      const close = () => {
        form.replaceWith(show);
        fill();
        edit.focus();
      };
      const cancel = () => {
        forgetDraft(form);
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
      settle();
      const beside = item.nextElementSibling ?? item.previousElementSibling;
      item.hidden = true;
      (beside?.querySelector(".delete") ?? add.elements.title).focus();
      showEmpty();
      const back = () => {
        item.hidden = false;
        showEmpty();
      };
      const remove = async () => {
        try {
          await api.deleteTask(task.id);
          item.remove();
        } catch (error) {
          if (error.status === 404) return item.remove();
          if (isOver(error)) return;
          back();
          failed(error, () => {
            item.hidden = true;
            remove();
          });
        }
      };
      settle = toast(`Deleted “${short(task.title)}”.`, {
        action: "Undo",
        done: (isUndone) => {
          if (!isUndone) return remove();
          back();
          item.querySelector(".delete").focus();
          announce("Not deleted");
        },
      });
    });
    fill();
    return item;
  }

  function failed(error, retry) {
    toast(words(error), { isProblem: true, action: "Try again", done: (isChosen) => isChosen && retry() });
  }

  keepDraft(add, user);
  onSubmit(add, async ({ title, description }) => {
    const task = await api.addTask({ title, ...(description && { description }) });
    add.reset();
    add.querySelector("details").open = false;
    if (filter.show === "done" || filter.q) {
      Object.assign(filter, { show: "all", q: "" });
      search.value = "";
      main.querySelector("[name=show][value=all]").checked = true;
      narrow();
    } else {
      list.prepend(row(task));
      showEmpty();
    }
    add.elements.title.focus();
    announce(`Added ${task.title}`);
  });

  main.querySelector("#filter").addEventListener("change", (event) => {
    filter.show = event.target.value;
    narrow();
  });
  let typing;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      filter.q = search.value.trim();
      narrow();
    }, TYPING);
  });
  more.addEventListener("click", () =>
    busy(more, async () => {
      const rows = await load(next);
      rows?.[0]?.querySelector("input").focus();
    }),
  );
  signal.addEventListener("abort", () => {
    clearTimeout(typing);
    loading.abort();
    settle();
  });
  // A hidden tab may be closed without notice.
  document.addEventListener("visibilitychange", () => document.hidden && settle(), { signal });
  await load();
}

const short = (title) => (title.length > 60 ? `${[...title].slice(0, 59).join("")}…` : title);
