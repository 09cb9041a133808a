"use strict";

/* What every page does. All of it works without, but for the theme. */

/* Moments in the reader's own time. */
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.title = time.dateTime;
    time.textContent = MOMENT.format(moment);
  }
}

/* Tabs that have no room scroll: the one that is looked at is seen. */
function showTab() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    tab.parentElement.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - tab.parentElement.clientWidth / 2;
  }
}

/* Light, dark, and what the system prefers. */
function switchTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const next = (root.dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  try {
    localStorage.setItem("semantest.theme", next);
  } catch {
    // Until the page is left.
  }
}

/* The menu is open where there is room for it beside the page. */
const WIDE = matchMedia("(min-width: 60rem)");
function placeMenu() {
  const menu = document.getElementById("menu");
  if (menu) menu.open = WIDE.matches;
}

placeMenu();
showTab();
WIDE.addEventListener("change", placeMenu);
tellTimes(document);
document.addEventListener("htmx:load", (event) => tellTimes(event.detail.elt));
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-switch], [data-copy]");
  if (!button) return;
  if ("themeSwitch" in button.dataset) return switchTheme();
  copy(button);
});

/* Escape closes what was opened over or beside other things, and the keyboard goes on where it was opened. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const opened = event.target.closest("details.confirm[open], details.menu[open]");
  if (!opened || (opened.id === "menu" && WIDE.matches)) return;
  opened.open = false;
  opened.querySelector("summary").focus();
});

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return prompt("To copy:", button.dataset.copy); // over HTTP, or not allowed
  }
  const said = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = said; }, 1200);
}
/* What is not filtered by does not stand in the address. */
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches("form.filters")) return;
  for (const [name, value] of Object.entries(event.detail.parameters)) {
    if (value === "") delete event.detail.parameters[name];
  }
});
/* What a filter asks for in vain, such as a branch that is not typed to its end, is said in the place of what it found. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (xhr.status < 400 || !event.detail.requestConfig.elt.matches("form.filters")) return;
  const why = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".notice p");
  if (!why) return;
  const said = target.cloneNode(false);
  said.append(Object.assign(document.createElement("p"), { className: "problem", textContent: why.textContent }));
  said.firstChild.setAttribute("role", "alert");
  Object.assign(event.detail, { serverResponse: said.outerHTML, shouldSwap: true, isError: false });
});
/* A form that only filters is sent as it is changed; its button is for those without scripts. */
document.documentElement.dataset.scripts = "on";
document.documentElement.dataset.ready = "";
