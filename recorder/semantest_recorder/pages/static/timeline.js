"use strict";

/* The timeline: what a bar says stands below it, arrows go along a lane, and keys zoom. All of it can be had with links. */
{
  const links = (lane) => [...lane.querySelectorAll("a")].sort((a, b) => place(a) - place(b));
  const place = (link) => parseFloat(link.querySelector("rect").getAttribute("x"));
  const lanes = () => [...document.querySelectorAll("[data-lanes] .lane-picture")].filter((lane) => lane.querySelector("a"));

  /* One stop of the tab key for a lane; arrows do the rest. */
  function settle() {
    for (const lane of lanes()) links(lane).forEach((link, at) => link.setAttribute("tabindex", at ? "-1" : "0"));
  }

  function tell(event) {
    const link = event.target.closest?.("[data-lanes] a");
    if (link) document.getElementById("told").textContent = link.getAttribute("aria-label");
  }

  function go(event) {
    const link = document.activeElement?.closest?.("[data-lanes] a");
    const lane = link?.closest(".lane-picture");
    if (!lane) return;
    let next;
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const all = links(lane);
      next = all[all.indexOf(link) + (event.key === "ArrowRight" ? 1 : -1)];
    } else {
      const all = lanes();
      const beside = all[all.indexOf(lane) + (event.key === "ArrowDown" ? 1 : -1)];
      next = beside && links(beside).reduce((best, one) => (Math.abs(place(one) - place(link)) < Math.abs(place(best) - place(link)) ? one : best));
    }
    event.preventDefault();
    next?.focus();
  }

  document.addEventListener("mouseover", tell);
  document.addEventListener("focusin", tell);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key.startsWith("Arrow")) return go(event);
    const link = [...document.querySelectorAll("#timeline [data-key]")].find((one) => one.dataset.key === event.key);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
  settle();
}
