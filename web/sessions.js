// The sessions page: lists the devices on which the user is signed in, and signs them out.
import { alertBox, announce, cloneTemplate, element, isSessionOver, runOrOfferRetry, toast } from "./ui.js";

export async function showSessions({ api, main, signal, signOut }) {
  const list = main.querySelector("#list");
  const signOutOthers = main.querySelector("#others");
  const problemBox = main.querySelector("#list-problem");

  async function load() {
    problemBox.replaceChildren();
    list.ariaBusy = "true";
    try {
      const sessions = await api.sessions();
      if (signal.aborted) return;
      // The current session first; the others stay in the order of the server.
      sessions.sort((a, b) => b.current - a.current);
      list.replaceChildren(...sessions.map(sessionItem));
      signOutOthers.hidden = sessions.every((session) => session.current);
    } catch (error) {
      if (!isSessionOver(error)) problemBox.replaceChildren(alertBox(error, load));
    } finally {
      list.ariaBusy = null;
    }
  }

  function sessionItem(session) {
    const item = cloneTemplate("session").firstElementChild;
    const button = item.querySelector("button");
    const device = deviceName(session.user_agent ?? "");
    item.querySelector("strong").textContent = device;
    item.querySelector(".badge").hidden = !session.current;
    item.querySelector(".facts").append(
      ...(session.ip_address ? [session.ip_address, " · "] : []),
      "signed in ",
      timeElement(session.created_at),
      " · last used ",
      timeElement(session.last_used_at),
    );
    button.ariaLabel = session.current ? "Sign out of this device" : `Sign out ${device}`;
    button.addEventListener("click", () =>
      runOrOfferRetry(button, async () => {
        if (session.current) return signOut();
        await api.endSession(session.id).catch((error) => {
          const hasEndedAlready = error.status === 404;
          if (!hasEndedAlready) throw error;
        });
        await load();
        main.focus();
        announce(`${device} is signed out`);
      }),
    );
    return item;
  }

  signOutOthers.addEventListener("click", () =>
    runOrOfferRetry(signOutOthers, async () => {
      const count = await api.signOut("others");
      await load();
      main.focus();
      toast(count === 1 ? "One other session is signed out." : `${count} other sessions are signed out.`);
    }),
  );

  await load();
}

/** Patterns of a `User-Agent` with the name to show; the first match counts, as most browsers name others as well. */
const BROWSERS = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"], [/curl\//, "curl"]];
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** The name of a device, such as "Firefox on Android"; for an unknown one, its `User-Agent`. */
function deviceName(userAgent) {
  const firstMatch = (list) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [firstMatch(BROWSERS), firstMatch(SYSTEMS)];
  return [browser, system].filter(Boolean).join(" on ") || userAgent.slice(0, 60) || "Unknown device";
}

function timeElement(timestamp) {
  const date = new Date(timestamp);
  const text = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return element("time", { dateTime: timestamp, textContent: text });
}
