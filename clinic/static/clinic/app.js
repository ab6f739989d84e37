// Everything here repeats or eases a visible control; without it every page still works.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
let shownAt = new Date(); // of what is on the page

// ---- One-key shortcuts: an element with data-key="n" (or a sequence, data-key="g d") is pressed
// or, if it is a field, focused. Inert while typing; off when the preferences say so.

const typing = (target) => target.closest("input, select, textarea, [contenteditable]");
const visible = (element) => element.checkVisibility() || element.closest("[popover]");
let before = "";
let beforeAt = 0;

// Of several, that of the entry which has the focus, else the first. One that says data-key-here
// is pressed for the entry with the focus only: nothing is closed that nobody points at.
function controlFor(key) {
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(visible);
  const entry = document.activeElement?.closest("[data-along] > li");
  return found.find((control) => entry?.contains(control)) ?? found.find((control) => !("keyHere" in control.dataset));
}

function press(event) {
  if (event.key === "Escape") return escape(event);
  if (event.ctrlKey || event.metaKey) return together(event);
  if (event.altKey) return;
  if (document.body.dataset.keys === "off" || typing(event.target) || $("dialog[open]")) return;
  const now = Date.now();
  const sequence = now - beforeAt < 1000 ? `${before} ${event.key}` : "";
  if (found(event) || along(event)) return;
  const control = (sequence && controlFor(sequence)) || controlFor(event.key.toLowerCase());
  before = event.key;
  beforeAt = now;
  if (!control) return;
  event.preventDefault();
  if (typing(control)) control.select?.();
  if (typing(control) || control.matches("summary")) control.focus();
  if (!typing(control)) control.click();
}

function escape(event) {
  const toast = $("#toasts .toast");
  if ($("dialog[open]")) return;
  if (typing(event.target) || event.target.closest(".find")) document.activeElement.blur();
  else if (toast) toast.remove();
  else controlFor("escape")?.click();
}

// Ctrl+Enter sends the form one writes in; Ctrl+Z outside of a field takes the last act back.
function together(event) {
  const form = event.key === "Enter" && event.target.closest("form");
  const undo = event.key === "z" && !typing(event.target) && controlFor("z");
  if (!form && !undo) return;
  event.preventDefault();
  if (undo) return undo.click();
  form.requestSubmit($("button.p", form) ?? $("button:not([type=button])", form));
}

// ---- Who was found from anywhere: arrows go through them, Enter opens, B books.

function found(event) {
  const link = event.target.closest?.(".find-list a");
  if (!link || event.key.toLowerCase() !== "b" || !link.dataset.book) return false;
  event.preventDefault();
  location.assign(link.dataset.book);
  return true;
}

// J and K go down and up through the entries of a list that says data-along.
function along(event) {
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  const entries = step && !(before === "g" && Date.now() - beforeAt < 1000) ? [...document.querySelectorAll("[data-along] .who")] : [];
  if (!entries.length) return false;
  const at = entries.findIndex((who) => who.closest("li").contains(document.activeElement));
  (entries[at + step] ?? entries[step > 0 ? 0 : entries.length - 1]).focus();
  event.preventDefault();
  return true;
}

function alongFound(event) {
  const finder = event.target.closest?.(".find");
  if (!finder) return;
  const links = [...finder.querySelectorAll(".find-list a")];
  const at = links.indexOf(event.target);
  if (event.key === "Enter" && at < 0 && links.length && finder.dataset.for === $("input", finder).value) {
    event.preventDefault();
    links[0].click();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !links.length) return;
  event.preventDefault();
  (links[at + step] ?? $("input", finder)).focus();
}
// What is shown may be of an earlier word than the one that stands there by now.
document.addEventListener("htmx:afterSettle", (event) => {
  const finder = event.target.closest?.(".find");
  if (finder) finder.dataset.for = new URL(event.detail.xhr.responseURL).searchParams.get("q") ?? "";
});

function listKeys() {
  const list = $("#keys-list");
  list.replaceChildren();
  const rows = [...document.querySelectorAll("[data-key]")].filter(visible);
  const said = new Set();
  const explain = (key, words) => {
    if (said.has(key)) return;
    said.add(key);
    const dt = document.createElement("dt");
    for (const part of key.split(" ")) {
      const kbd = document.createElement("kbd");
      kbd.textContent = part.length === 1 ? part.toUpperCase() : "Esc";
      dt.append(kbd, " ");
    }
    const dd = document.createElement("dd");
    dd.textContent = words;
    list.append(dt, dd);
  };
  for (const control of rows) explain(control.dataset.key, control.dataset.keyLabel || control.textContent.trim());
  const entries = $("[data-along][data-next]");
  if (entries) explain("j", entries.dataset.next);
  if (entries) explain("k", entries.dataset.previous);
}

function clicked(event) {
  const control = event.target.closest("button, a");
  if (!control) return;
  if ("dismiss" in control.dataset) control.closest(".toast").remove();
  if ("reload" in control.dataset) location.reload();
  if ("print" in control.dataset) print();
  if (control.dataset.copy) copy(control);
  const opens = control.dataset.opens && document.getElementById(control.dataset.opens);
  if (opens) {
    control.closest("[popover]")?.hidePopover();
    if (opens.id === "keys") listKeys();
    opens.showModal();
  }
}

// data-copy="id" copies that field and says so in the element behind the button.
function copy(control) {
  const field = document.getElementById(control.dataset.copy);
  const say = (words) => { control.nextElementSibling.textContent = words; };
  field.select();
  const done = navigator.clipboard?.writeText(field.value) ?? Promise.reject();
  done.then(() => say(control.dataset.copied), () => say(document.execCommand("copy") ? control.dataset.copied : control.dataset.byHand));
}
for (const control of document.querySelectorAll("[data-copy]")) control.hidden = false;

// A form is sent once: a second press while the answer is on its way does nothing.
function submitted(event) {
  const form = event.target;
  if (form.method === "dialog" || form.matches("[hx-get], [hx-post]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
}

document.addEventListener("keydown", press);
document.addEventListener("keydown", alongFound);
document.addEventListener("click", clicked);
document.addEventListener("submit", submitted);
// A page that the browser kept in its memory may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A field or select that says data-autosend sends its form when it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosend]")) event.target.form.requestSubmit();
});

// data-ticks="name" ticks every field of that name on the page.
document.addEventListener("change", (event) => {
  const { ticks } = event.target.dataset;
  if (!ticks) return;
  for (const field of document.querySelectorAll(`[name="${ticks}"]`)) field.checked = event.target.checked;
});

// ---- Connection and session.

function isWritten() {
  // Of a select without a chosen option the first one shows.
  const chosen = (field) => field.multiple
    ? [...field.options].some((each) => each.selected !== each.defaultSelected)
    : field.selectedIndex !== Math.max(0, [...field.options].findLastIndex((each) => each.defaultSelected));
  return [...document.querySelectorAll("main form :is(input:not([type=hidden]), textarea, select)")].some((field) =>
    field.options ? chosen(field) : field.checked !== field.defaultChecked || field.value !== field.defaultValue);
}

// The session ended: the answer is a page to sign in, which belongs in no fragment. What is written
// or was pressed stays where it is, and who wrote it signs in above it; else the page says so itself.
function signInBeside() {
  const dialog = $("#sign-in-beside");
  if (dialog.open) return;
  dialog.returnValue = "";
  const asked = htmx.ajax("GET", dialog.dataset.at, { target: dialog, swap: "innerHTML" });
  asked.then(() => { if (dialog.childElementCount && !dialog.open) dialog.showModal(); });
}
// Nobody is signed in: what lies beneath is not for who closes it. A browser lets a second Escape in a
// row close any dialog; then the page goes as well.
document.addEventListener("cancel", (event) => { if (event.target.id === "sign-in-beside") event.preventDefault(); }, true);
document.addEventListener("close", (event) => {
  if (event.target.id === "sign-in-beside" && event.target.returnValue !== "signed-in") location.reload();
}, true);
// The forms of the page belong to the new session from now on.
document.addEventListener("htmx:afterSettle", () => {
  const dialog = $("#sign-in-beside");
  const token = $("#signed-in input", dialog ?? document.createElement("p"))?.value;
  if (!token) return;
  dialog.close("signed-in");
  dialog.replaceChildren();
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
});
document.addEventListener("htmx:sendError", () => {
  const banner = $("#offline");
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: banner.dataset.zone };
  $("time", banner).textContent = new Intl.DateTimeFormat([], clock).format(shownAt);
  banner.hidden = false;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target.matches("[data-refresh], main") || $("main", target)) shownAt = new Date();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  $("#offline").hidden = true;
  const { xhr } = event.detail;
  const isLed = new URL(xhr.responseURL || location.href).pathname === "/login/" && location.pathname !== "/login/";
  if (isLed || (xhr.status === 401 && $("#sign-in-beside"))) {
    event.detail.shouldSwap = event.detail.isError = false;
    return isLed && !isWritten() && !$("dialog[open]") ? location.reload() : signInBeside();
  }
  // A refused form, a lost race or a rest comes with its own words.
  if ([400, 403, 404, 409, 422, 429].includes(xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// ---- What a page holds while it is looked at (data-release) is let go when it is left, and asked
// for again when the browser brings the page back from its memory.

addEventListener("pagehide", () => {
  for (const held of document.querySelectorAll("[data-release]")) {
    const form = new FormData();
    form.append("csrfmiddlewaretoken", JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]);
    navigator.sendBeacon(held.dataset.release, form);
  }
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const held of document.querySelectorAll("[data-release]")) htmx.trigger(held, "again");
});

// ---- A list that says data-refresh is asked for anew every 20 s, but never under somebody's hands
// or behind a hidden tab.

const REFRESH_MS = 20_000;
const IDLE_MS = 5_000;
let touchedAt = 0;

for (const kind of ["pointerdown", "pointermove", "keydown"]) {
  addEventListener(kind, () => { touchedAt = Date.now(); }, { passive: true });
}

setInterval(() => {
  const list = document.querySelector("[data-refresh]");
  const busy = Date.now() - touchedAt < IDLE_MS || $("dialog[open]") || list?.contains(document.activeElement);
  if (list && !document.hidden && !busy) list.dispatchEvent(new Event("refresh"));
}, REFRESH_MS);

// ---- A link to what a closed part holds opens it, also where the browser does not.

const unfold = () => {
  const target = document.getElementById(location.hash.slice(1));
  const part = target?.closest("details:not([open])");
  if (!part) return;
  part.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
