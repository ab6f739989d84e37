// The pad on which a signature is drawn. Without it the typed name stands for the signature.
"use strict";

const field = document.getElementById("pad");
const pad = field.querySelector("svg");
const ink = pad.querySelector("path");
const kept = field.querySelector("input");
const MOST = 4000; // As many points as are let through (signing/drawing.py).
const { width, height } = pad.viewBox.baseVal;
let points = (kept.value.match(/[ML]/g) || []).length;
let pen = null;
let last = "";

function at(event) {
  const box = pad.getBoundingClientRect();
  const within = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
  const x = within(((event.clientX - box.left) / box.width) * width, width);
  const y = within(((event.clientY - box.top) / box.height) * height, height);
  return `${x} ${y}`;
}

function put(letter, event) {
  const point = at(event);
  if (points >= MOST || (letter === "L" && point === last)) return;
  kept.value += letter + point;
  ink.setAttribute("d", kept.value);
  last = point;
  points += 1;
}

pad.addEventListener("pointerdown", (event) => {
  if (pen !== null) return;
  pen = event.pointerId;
  pad.setPointerCapture(pen);
  put("M", event);
});
pad.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pen) return;
  for (const each of event.getCoalescedEvents?.() || [event]) put("L", each);
});
for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, (event) => {
    if (event.pointerId === pen) pen = null;
  });
}
document.getElementById("pad-clear").addEventListener("click", () => {
  kept.value = "";
  ink.setAttribute("d", "");
  points = 0;
});
field.hidden = false;
