"use strict";

/* Forms that filter: what is empty stays out of the address, and states that were chosen stay chosen. */
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches("form[data-filter]")) return;
  const told = event.detail.parameters;
  for (const kept of document.querySelectorAll("[data-keep]")) told.append(kept.name, kept.value);
  for (const [name, value] of [...told.entries()]) if (value === "") told.delete(name);
});

/* "/" goes to the filter. */
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("[data-filter-key]");
  if (event.key !== "/" || !field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  event.preventDefault();
  field.focus();
  field.select();
});
