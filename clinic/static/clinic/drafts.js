// A press on "Line 42" goes to that line of the text. Without it the line stands beside its cause.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-line]");
  if (!button) return;
  const field = document.getElementById("text");
  const lines = field.value.split("\n");
  const number = Number(button.dataset.line);
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + lines[number - 1].length);
  field.scrollTop = Math.max(0, (field.scrollHeight / lines.length) * (number - 4));
});
