"use strict";

/* The list stays current while somebody reads it: a run that changed is drawn anew where it stands. New runs come in by
   themselves as long as nobody is at the list, else they are announced and wait. */
{
  const PERIOD = 4000;

  const rowsOf = (root) => new Map([...root.querySelectorAll("[data-run]")].map((row) => [row.dataset.run, row]));
  const isRead = (list) => window.scrollY > 0 || list.matches(":hover, :focus-within") || !document.getSelection().isCollapsed;

  function takeAll(list, fresh) {
    list.replaceWith(fresh);
    window.htmx?.process(fresh);
    tellTimes(fresh);
  }

  function announce(list, fresh, number) {
    const news = list.querySelector("[data-news]");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = number === 1 ? "1 new run: show it" : `${number} new runs: show them`;
    button.addEventListener("click", () => takeAll(list, fresh));
    news?.replaceChildren(button);
  }

  function merge(list, fresh) {
    const old = rowsOf(list);
    let added = 0;
    for (const [run, row] of rowsOf(fresh)) {
      const known = old.get(run);
      if (!known) added += 1;
      else if (known.dataset.version !== row.dataset.version && !known.contains(document.activeElement)) {
        const copy = row.cloneNode(true);
        known.replaceWith(copy);
        tellTimes(copy);
      }
    }
    if (added && !isRead(list)) takeAll(list, fresh);
    else if (added || !old.size) announce(list, fresh, added);
  }

  async function look() {
    const list = document.getElementById("runs");
    if (!list || document.hidden || "still" in list.dataset) return;
    try {
      const answer = await fetch(list.dataset.current, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = document.adoptNode(page.getElementById("runs"));
      // What somebody has asked for may be on its way into the list.
      if (fresh && list.isConnected && !document.querySelector(".htmx-request")) merge(list, fresh);
    } catch {
      // The recorder is away; the next look may find it.
    }
  }

  setInterval(look, PERIOD);
  document.addEventListener("visibilitychange", look);
}
