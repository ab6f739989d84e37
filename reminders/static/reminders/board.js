// Dragging visits on the board, and the arrows between them. Both repeat what "Move" in the panel
// does without dragging; the server decides, and the board stays as it is when it refuses.
"use strict";

(() => {
  const ROW_SECONDS = 300;
  const THRESHOLD = 10;
  const LONG_PRESS_MS = 300;
  const CARD = "a.slip[data-visit]";
  const START = ".start button";
  // {slip, x, y, offset, timer, ghost, column, row}; of one whose edge is held: {edge, first} as well
  let held = null;

  const rowHeight = () => parseFloat(getComputedStyle($(".board-col > ol")).gridAutoRows);
  const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: $(".board-grid")?.dataset.zone });

  function down(event) {
    const slip = event.target.closest(CARD);
    if (!slip || event.button) return;
    const box = slip.getBoundingClientRect();
    const edge = "resizable" in slip.dataset && box.bottom - event.clientY <= parseFloat(getComputedStyle(slip, "::after").height);
    if (!edge && !("movable" in slip.dataset)) return;
    const offset = event.clientY - (edge ? box.bottom : box.top);
    held = { slip, x: event.clientX, y: event.clientY, offset, edge, column: slip.closest(".board-col") };
    if (edge) held.was = Math.round((box.bottom - $("ol", held.column).getBoundingClientRect().top) / rowHeight());
    if (edge) held.first = (Number(slip.dataset.starts) - Number(held.column.dataset.first)) / ROW_SECONDS;
    if (event.pointerType !== "mouse") held.timer = setTimeout(take, LONG_PRESS_MS);
  }

  function move(event) {
    if (!held) return;
    if (!held.ghost) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < THRESHOLD) return;
      if (event.pointerType !== "mouse" && !held.edge) return drop(); // a finger that scrolls
      take();
    }
    follow(event.clientX, event.clientY);
  }

  function take() {
    clearTimeout(held.timer);
    held.ghost = document.createElement("div");
    held.ghost.className = "board-ghost";
    held.ghost.style.height = `${held.slip.offsetHeight}px`;
    held.slip.classList.add("dragging");
    document.body.classList.add("is-dragging");
    follow(held.x, held.y);
  }

  function follow(x, y) {
    const column = held.edge ? held.column : document.elementsFromPoint(x, y).map((each) => each.closest(".board-col")).find(Boolean);
    if (column) {
      const list = $("ol", column);
      const most = Number($(".board-grid").dataset.rows) - 1;
      const row = Math.round((y - held.offset - list.getBoundingClientRect().top) / rowHeight());
      held.column = column;
      if (held.edge) {
        held.row = Math.min(Math.max(row, held.first + 1), most + 1);
        held.ghost.style.top = `${held.first * rowHeight()}px`;
        held.ghost.style.height = `${(held.row - held.first) * rowHeight()}px`;
        held.ghost.textContent = `– ${clock.format(new Date(instant() * 1000))} · ${minutes()} min`;
      } else {
        held.row = Math.min(Math.max(row, 0), most);
        held.ghost.style.top = `${held.row * rowHeight()}px`;
        held.ghost.textContent = clock.format(new Date(instant() * 1000));
      }
      list.append(held.ghost);
    }
    const around = $(".board-scroll");
    const edges = around.getBoundingClientRect();
    if (y > edges.bottom - 40) around.scrollTop += 12;
    if (y < edges.top + 60) around.scrollTop -= 12;
  }

  const instant = () => Number(held.column.dataset.first) + held.row * ROW_SECONDS;
  const minutes = () => ((held.row - held.first) * ROW_SECONDS) / 60;

  // The press that ends a drag opens nothing.
  function swallow(click) { click.preventDefault(); click.stopPropagation(); }

  function up(event) {
    if (!held?.ghost) return drop();
    const { slip, column, edge, row, was } = held;
    const asked = edge ? { minutes: minutes() } : {};
    const start = new Date(instant() * 1000).toISOString().slice(0, 16).replace(/[-:]/g, "");
    const onto = column.dataset.onto;
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, true));
    drop();
    if (edge && row === was) return;
    if (!edge) Object.assign(asked, { start, onto });
    const { place, length } = $(".board-grid").dataset;
    htmx.ajax("POST", (edge ? length : place).replace("/0/", `/${slip.dataset.visit}/`), {
      source: slip,
      target: "#board",
      swap: "outerHTML",
      values: { version: slip.dataset.version, ...asked, next: location.pathname + location.search },
    });
  }

  function drop() {
    if (!held) return;
    clearTimeout(held.timer);
    held.ghost?.remove();
    held.slip.classList.remove("dragging");
    document.body.classList.remove("is-dragging");
    held = null;
  }

  // ---- Arrows: up and down in a column, left and right to the nearest in time beside it. They go
  // through the visits, or through the free starts of one that was picked up, and begin at what is
  // chosen, else at the first of the day.

  const stop = () => ($(START) ? START : CARD);

  function begin(event) {
    const card = $(`${stop()}[aria-current]`) ?? $(stop());
    if (!card) return;
    event.preventDefault();
    card.focus();
  }

  function arrow(event) {
    if (event.key === "Escape") return drop();
    if (!event.key.startsWith("Arrow")) return;
    const card = event.target.closest?.(stop());
    if (!card) return event.target === document.body && begin(event);
    const columns = [...document.querySelectorAll(".board-col")];
    const cards = (column) => [...column.querySelectorAll(stop())];
    const own = columns.indexOf(card.closest(".board-col"));
    let next;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const list = cards(columns[own]);
      next = list[list.indexOf(card) + (event.key === "ArrowDown" ? 1 : -1)];
    } else {
      const step = event.key === "ArrowRight" ? 1 : -1;
      const top = card.getBoundingClientRect().top;
      const far = (each) => Math.abs(each.getBoundingClientRect().top - top);
      for (let at = own + step; columns[at] && !next; at += step) {
        next = cards(columns[at]).sort((a, b) => far(a) - far(b))[0];
      }
    }
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  // ---- The chosen visit: its cards are marked from the press on, before its panel is there. A key
  // of the panel that is pressed on the card of another visit chooses that visit first, and never
  // acts on the one whose panel happens to be open.

  let chosen = $(`${CARD}[aria-current]`)?.dataset.visit;
  let asked = null; // {visit, key}: pressed, and waiting for the panel of its visit

  function mark(visit) {
    for (const card of document.querySelectorAll(`${CARD}[aria-current]`)) card.removeAttribute("aria-current");
    for (const card of document.querySelectorAll(`${CARD}[data-visit="${visit}"]`)) card.setAttribute("aria-current", "true");
  }

  function keyOnCard(event) {
    const card = event.target.closest?.(CARD);
    const key = event.key.toLowerCase();
    if (!card || card.dataset.visit === chosen || !/^[a-z]$/.test(key)) return;
    if (!"csdxmpyeor".includes(key) || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    asked = { visit: card.dataset.visit, key };
    card.click();
  }

  function panelCame(event) {
    if (event.target.id !== "panel") return;
    const left = chosen;
    chosen = $("#panel").dataset.visit;
    mark(chosen);
    if (!chosen) $(`${CARD}[data-visit="${left}"]`)?.focus();
    const control = asked && asked.visit === chosen && $(`#panel [data-key="${asked.key}"]`);
    asked = null;
    if (control) control.matches("input") ? control.focus() : control.click();
  }

  // ---- The board keeps its place when it is drawn anew, and begins at the present.

  let scroller = null;
  let place = null;
  document.addEventListener("htmx:beforeSwap", () => {
    scroller = $(".board-scroll");
    place = scroller && [scroller.scrollLeft, scroller.scrollTop];
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const drawn = $(".board-scroll");
    if (place && drawn !== scroller) drawn?.scrollTo(...place);
    // The button that was pressed is gone: the focus goes with the visit that it moved.
    const moved = /^\/visits\/(\d+)\//.exec(event.detail.pathInfo?.requestPath ?? "")?.[1];
    if (moved && document.activeElement === document.body) $(`${CARD}[data-visit="${moved}"]`)?.focus();
  });
  const now = $(".board-now");
  if (now) $(".board-scroll").scrollTop = Math.max(0, now.offsetTop - 240);
  // Of a week that is wider than the screen, today is what is seen.
  const today = $(".board-col > h2.today")?.parentElement;
  if (today) $(".board-scroll").scrollLeft = today.offsetLeft - $(".board-hours").offsetWidth;

  document.addEventListener("pointerdown", down);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("touchmove", (event) => { if (held?.ghost) event.preventDefault(); }, { passive: false });
  document.addEventListener("dragstart", (event) => { if (event.target.closest(CARD)) event.preventDefault(); });
  document.addEventListener("keydown", arrow);
  document.addEventListener("keydown", keyOnCard, { capture: true });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (target.id === "panel" && elt.matches(CARD)) mark(elt.dataset.visit);
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) mark(chosen); });
  document.addEventListener("htmx:afterSettle", panelCame);
})();
