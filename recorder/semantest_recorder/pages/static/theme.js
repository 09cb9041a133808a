"use strict";

/* Before anything is drawn: a dark page does not flash up in white. */
{
  let theme = null;
  try {
    theme = localStorage.getItem("semantest.theme");
  } catch {
    // What the system prefers, then.
  }
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
}
