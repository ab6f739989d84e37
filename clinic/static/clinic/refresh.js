// Asks for a fresh list every 20 s, but never under somebody's hands or behind a hidden tab.
"use strict";

const REFRESH_MS = 20_000;
const IDLE_MS = 5_000;
let touchedAt = 0;

for (const kind of ["pointerdown", "pointermove", "keydown"]) {
  addEventListener(kind, () => { touchedAt = Date.now(); }, { passive: true });
}

setInterval(() => {
  const list = document.querySelector("[data-refresh]");
  const busy = Date.now() - touchedAt < IDLE_MS || list?.contains(document.activeElement);
  if (list && !document.hidden && !busy) list.dispatchEvent(new Event("refresh"));
}, REFRESH_MS);
