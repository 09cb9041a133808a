"use strict";

/* Text of tests becomes text of the page here and nowhere else: nothing is ever read as HTML.

   As in the terminal, what could make it look like something else is taken out: escape sequences, control, direction
   and invisible characters, halves of characters. */
const ESCAPE_SEQUENCES = new RegExp(
  "(?:\\x1b\\[|\\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]" +
    "|(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d\\x9e\\x9f])[^\\x07\\x1b\\x90\\x98\\x9c-\\x9f]{0,4096}(?:\\x07|\\x1b\\\\|\\x9c)" +
    "|\\x1b[ -/]{0,4}[0-~]",
  "gu",
);
const LINE_ENDS = /\r\n?|[\x0b\x0c\x85\u2028\u2029]/gu;
const FORBIDDEN = new RegExp(
  "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u206f" +
    "\\u00ad\\u180e\\u200b\\u2060-\\u2064\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]",
  "gu",
);

function inert(text) {
  if (/^[\x20-\x7e\n\t]*$/.test(text)) return text;
  const plain = text.replace(ESCAPE_SEQUENCES, "").replace(LINE_ENDS, "\n").replace(FORBIDDEN, "");
  return plain.replace(/\p{Surrogate}/gu, "\ufffd");
}

function inertLine(text) {
  return inert(text).replace(/[\n\t]/g, " ");
}

/* An element. Of the attributes, `on` holds listeners by event; those that are null, undefined or false are left out.
   Children are nodes and texts; null, undefined and false are left out. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, inert(String(value)));
  }
  made.append(...asNodes(children));
  return made;
}

function asNodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : inert(String(child))));
}

function fill(element, ...children) {
  element.replaceChildren(...asNodes(children));
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

/* A button that copies what `text()` gives, and says so. */
function copyButton(label, text) {
  const button = el("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    button.textContent = (await copied(inert(text()))) ? "Copied" : "Not copied";
    announce(button.textContent);
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/* Says to who cannot see it what has changed. */
function announce(text) {
  byId("said").textContent = inertLine(text);
}
