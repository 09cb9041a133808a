"use strict";

/* The pages of a run that goes on stay current while nobody is at what they show; who reads it is told that more has
   happened, and asks for it. What is typed into filters stays. */
{
  const PERIOD = 4000;
  let waiting = null, asked = false;

  const line = () => document.getElementById("as-of");
  const isRead = (part) => part.matches(":hover, :focus-within") || part.querySelector("details[open]") !== null ||
    part.getBoundingClientRect().top < 0 || !document.getSelection().isCollapsed;

  /* `page` as it is now: all of it. */
  function show(page) {
    for (const old of document.querySelectorAll("[data-current], #run-head")) {
      const fresh = page.getElementById(old.id);
      if (fresh && !old.matches(":focus-within")) htmx.swap(old, fresh.outerHTML, { swapStyle: "outerHTML", settleDelay: 0 });
    }
    tellMoment(page);
  }

  function tellMoment(page) {
    const fresh = page.getElementById("as-of")?.firstElementChild;
    line().firstElementChild.replaceChildren(...(fresh ? document.adoptNode(fresh).childNodes : ["The run is over."]));
    tellTimes(line());
    const link = line().querySelector("[data-show]");
    link.hidden = link !== document.activeElement;
    waiting = null;
  }

  function announce(page) {
    const link = line().querySelector("[data-show]");
    const words = page.getElementById("as-of") ? "More has happened: show it" : "The run is over: show all of it";
    if (link.textContent !== words) link.textContent = words;
    link.hidden = false;
    waiting = { page, address: location.href };
  }

  async function look() {
    const part = document.querySelector("[data-current]");
    if (!part || document.hidden || asked) return;
    asked = true;
    try {
      const answer = await fetch(part.dataset.current, { headers: { Accept: "text/html" }, redirect: "error" });
      const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
      const fresh = page?.getElementById(part.id);
      // What somebody has asked for is on its way into this part.
      if (!fresh || !part.isConnected || document.querySelector(".htmx-request")) return;
      if (!isRead(part)) show(page);
      else if (fresh.dataset.version !== part.dataset.version) announce(page);
    } catch {
      // The recorder is away; the next look may find it.
    } finally {
      asked = false;
    }
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-show]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (waiting?.address !== location.href) return location.reload();
    document.getElementById("main").focus({ preventScroll: true });
    show(waiting.page);
  });
  setInterval(look, PERIOD);
  document.addEventListener("visibilitychange", look);
}
