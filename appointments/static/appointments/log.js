// The draft of a treatment log saves itself two seconds after the last change. While nothing can be
// reached it is kept on this device, and saved when there is a connection again.
"use strict";

(() => {
  const keyOf = (element) => `log:${element.dataset.by}:${element.dataset.log}`;
  const closed = document.querySelector("[data-log-closed]");
  if (closed) try { localStorage.removeItem(keyOf(closed)); } catch { /* not allowed */ }
  const form = document.querySelector("form[data-log]");
  if (!form) return;
  const key = keyOf(form);
  const saved = document.getElementById("saved");
  const notice = document.getElementById("unsaved");
  const version = form.elements.version;
  const WAIT = 2000, AGAIN = 5000;
  let timer = 0, sending = false, changed = false, stopped = false;

  const entries = () => {
    const data = new FormData(form);
    data.delete("csrfmiddlewaretoken");
    return [...data];
  };
  const say = (words) => { saved.textContent = words; };
  const warn = (words) => { notice.lastElementChild.textContent = words; notice.hidden = !words; };
  const keep = () => {
    try { localStorage.setItem(key, JSON.stringify(entries())); } catch { /* full, or not allowed */ }
  };
  const forget = () => { try { localStorage.removeItem(key); } catch { /* not allowed */ } };
  const soon = (wait = WAIT) => { clearTimeout(timer); timer = setTimeout(save, wait); };

  async function save() {
    if (sending || stopped) return;
    sending = true;
    changed = false;
    say(form.dataset.saving);
    try {
      const answer = await fetch(form.dataset.autosave, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 403) signedOut();
      else {
        const said = await answer.json();
        if (answer.ok) took(said);
        else refused(said);
      }
    } catch {
      changed = true;
      say(form.dataset.offline);
      soon(AGAIN);
    }
    sending = false;
    if (changed && !stopped) soon();
  }

  function took(said) {
    version.value = said.version;
    warn("");
    say(form.dataset.saved.replace("…", said.saved));
    if (!changed) forget();
  }

  function refused(said) {
    stopped = said.code !== "not_yet";
    say(form.dataset.refused);
    warn(said.code === "stale_log" ? `${said.sentence} ${form.dataset.stale}` : said.sentence);
  }

  // Signed out, or in as somebody else: nothing more is sent from here, and nothing is lost.
  function signedOut() {
    stopped = true;
    keep();
    say(form.dataset.refused);
    warn(form.dataset.signedOut);
  }

  function edited() {
    if (stopped) return;
    changed = true;
    keep();
    soon();
  }

  // What was typed here and never reached the clinic, brought back into the page.
  function restore() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(key)); } catch { /* nothing readable */ }
    if (!Array.isArray(kept)) return;
    const before = Object.fromEntries(kept).version;
    const treated = kept.filter(([name]) => name === "treated").map(([, value]) => value);
    for (const box of form.querySelectorAll("[name=treated]")) box.checked = treated.includes(box.value);
    for (const [name, value] of kept) {
      const field = form.elements[name];
      if (field && !["treated", "version", "act"].includes(name) && "value" in field) field.value = value;
    }
    // Saved upon the version that it was typed upon: if that moved on, both values are shown.
    if (before !== undefined) version.value = before;
    changed = true;
    say(form.dataset.restored);
    soon(0);
  }

  // What last time's settings leave open is written next.
  function goOn() {
    const needed = form.querySelectorAll(".entry:has(.needed) :is(input, select, textarea)");
    const isOpen = (field) => field.offsetParent && !form.elements[field.name].value;
    [...needed].find(isOpen)?.focus();
  }

  // A phrase goes to the end of the note, as it does by the form without this script.
  function put(event) {
    const phrase = event.target.closest("[name=phrase]");
    if (!phrase || stopped) return;
    event.preventDefault();
    const { note } = form.elements;
    const longer = note.value + (/\S$/.test(note.value) ? " " : "") + phrase.textContent;
    if (longer.length > note.maxLength) return warn(form.dataset.full);
    note.value = longer;
    note.focus();
    edited();
  }

  // The sums of the map as they grow; the server counts anew what is saved.
  function count() {
    const sums = { all: 0 }, regions = {};
    for (const cell of form.querySelectorAll(".map-table input[name^='regions.']")) {
      const [, region, field] = cell.name.split(".");
      if (!(field in totals)) continue;
      const delivered = /^\d{1,6}$/.test(cell.value.trim()) ? Number(cell.value) : 0;
      sums[field] = (sums[field] ?? 0) + delivered;
      regions[region] = (regions[region] ?? 0) + delivered;
      sums.all += delivered;
    }
    for (const [field, output] of Object.entries(totals)) output.value = sums[field] ?? 0;
    for (const link of form.querySelectorAll("[data-region]")) {
      const delivered = regions[link.dataset.region];
      link.classList.toggle("on", delivered > 0);
      link.querySelector("tspan").textContent = delivered || "";
    }
  }
  const totals = Object.fromEntries([...form.querySelectorAll("[data-total]")].map((each) => [each.dataset.total, each]));

  form.addEventListener("click", put);
  form.addEventListener("input", edited);
  if (totals.all) form.addEventListener("input", count);
  form.addEventListener("change", edited);
  // Kept until the clinic has it: the answer to a form that was kept says so.
  form.addEventListener("submit", () => { keep(); stopped = true; clearTimeout(timer); });
  addEventListener("online", () => { if (changed) soon(0); });
  // A page brought back from the browser's memory may be saved again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  if ("kept" in form.dataset || ["#kept", "#copied"].includes(location.hash)) {
    forget();
    if (location.hash === "#copied") goOn();
    history.replaceState(null, "", location.pathname + location.search);
  }
  if (!document.querySelector(".stored")) restore();
  if (totals.all) count();
})();
