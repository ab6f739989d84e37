// What axe finds on the page that is open, size after size, and nothing twice. A rule is asked again
// where its answer may be another: all of them where a size shows other elements than those before
// it, those of place in every size, and those of colour for what looks or lies differently from how
// it was seen in this theme.
"use strict";
// Who loads this would call what it comes to.
void (globalThis.lookAt = (() => {
  // What follows is of our doing. A page hears of its new size after the frame that shows it.
  globalThis.untouchedUntil = Math.min(globalThis.untouchedUntil ?? 0, performance.now());
  const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const OF_COLOUR = ["color-contrast", "link-in-text-block"];
  const WITHOUT_COLOUR = Object.fromEntries(OF_COLOUR.map((rule) => [rule, {enabled: false}]));
  const OF_PLACE = ["target-size", "scrollable-region-focusable"];
  const layouts = new Set();
  const seen = {light: new WeakMap(), dark: new WeakMap()};

  const isOpaque = (style) => /^rgb\(/.test(style.backgroundColor) && style.opacity === "1";
  const isRead = (each) => each.matches("a, input, select, textarea")
    || [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());

  // Words look the same where they have the same letters on the same grounds. What is positioned
  // may lie over anything, in another size over something else.
  const compare = (size, theme, within) => {
    const grounds = new Map();
    const fresh = new Set();
    const layout = [document.documentElement.outerHTML];
    for (const each of document.querySelectorAll("*")) {
      const style = each.checkVisibility({visibilityProperty: true}) && getComputedStyle(each);
      layout.push(style && style.display);
      if (!style) continue;
      const isInPlace = ["static", "relative"].includes(style.position) || isOpaque(style);
      const behind = isOpaque(style) ? "" : grounds.get(each.parentElement) ?? "";
      const ground = [style.backgroundColor, style.backgroundImage, style.opacity,
        isInPlace ? "" : size].join();
      grounds.set(each, behind.endsWith(ground) ? behind : behind + ground);
      if (!isRead(each) || (within && !each.closest(within))) continue;
      const looks = [grounds.get(each), style.color, style.fontSize, style.fontWeight,
        style.textDecorationLine].join();
      const known = seen[theme].get(each) ?? new Set();
      if (!known.has(looks)) fresh.add(each);
      seen[theme].set(each, known.add(looks));
    }
    const isOther = !layouts.has(layout.join());
    // In the dark nothing is asked of it but its colours.
    if (theme === "light") layouts.add(layout.join());
    return {isOther, fresh: [...fresh]};
  };

  const run = async (where, runOnly, rules = {}) => {
    const options = {runOnly, rules, resultTypes: ["violations"], preload: false, iframes: false};
    return (await axe.run(where, options)).violations.map(({id, nodes}) => [id,
      nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + node.any.concat(node.all,
        node.none).map((check) => check.message).join("; "))]);
  };

  return async (size, theme, within) => {
    // What takes the focus may lie under the bar that stays in view.
    scrollTo(0, 0);
    const isFirst = !layouts.size;
    const {isOther, fresh} = compare(size, theme, within);
    const where = within || document;
    if (isFirst) return run(where, TAGS);
    const found = fresh.length ? await run(fresh, OF_COLOUR) : [];
    if (theme === "dark") return found;
    const rest = isOther ? run(where, TAGS, WITHOUT_COLOUR) : run(where, OF_PLACE);
    return found.concat(await rest);
  };
})());
