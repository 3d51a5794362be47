// The sessions page: lists the devices on which the user is signed in, and signs them out.
import { alertBox, announce, busy, clone, element, isOver, toast, words } from "./ui.js";

export async function showSessions({ api, main, signal, signOut }) {
  const list = main.querySelector("#list");
  const others = main.querySelector("#others");
  const problem = main.querySelector("#list-problem");

  async function load() {
    problem.replaceChildren();
    list.ariaBusy = "true";
    try {
      const sessions = await api.sessions();
      if (signal.aborted) return;
      sessions.sort((one, other) => other.current - one.current);
      list.replaceChildren(...sessions.map(row));
      others.hidden = sessions.every((session) => session.current);
    } catch (error) {
      if (!isOver(error)) problem.replaceChildren(alertBox(error, load));
    } finally {
      list.ariaBusy = null;
    }
  }

  function row(session) {
    const item = clone("session").firstElementChild;
    const button = item.querySelector("button");
    const device = deviceOf(session.user_agent ?? "");
    item.querySelector("strong").textContent = device;
    item.querySelector(".badge").hidden = !session.current;
    item.querySelector(".facts").append(
      ...(session.ip_address ? [session.ip_address, " · "] : []),
      "signed in ",
      time(session.created_at),
      " · last used ",
      time(session.last_used_at),
    );
    button.ariaLabel = session.current ? "Sign out of this device" : `Sign out ${device}`;
    button.addEventListener("click", () =>
      attempt(button, async () => {
        if (session.current) return signOut();
        await api.endSession(session.id).catch((error) => {
          if (error.status !== 404) throw error;
        });
        await load();
        main.focus();
        announce(`${device} is signed out`);
      }),
    );
    return item;
  }

  others.addEventListener("click", () =>
    attempt(others, async () => {
      const count = await api.signOut("others");
      await load();
      main.focus();
      toast(count === 1 ? "One other session is signed out." : `${count} other sessions are signed out.`);
    }),
  );

  const attempt = (button, action) =>
    busy(button, action).catch((error) => {
      if (!isOver(error)) toast(words(error), { isProblem: true, action: "Try again", done: (isChosen) => isChosen && button.click() });
    });

  await load();
}

const BROWSERS = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"], [/curl\//, "curl"]];
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** The name of a device, such as "Firefox on Android"; for an unknown one, its `User-Agent`. */
function deviceOf(agent) {
  const named = (list) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  return [browser, system].filter(Boolean).join(" on ") || agent.slice(0, 60) || "Unknown device";
}

function time(text) {
  const date = new Date(text);
  const shown = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return element("time", { dateTime: text, textContent: shown });
}
