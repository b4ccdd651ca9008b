// Keys that drive the run from anywhere on the page, except while somebody types or operates a control.

const TYPING = "input, textarea, select, [contenteditable], [role=textbox], [role=combobox], [role=slider], [role=listbox]";

export function listenKeys(actions) {
  let swallowed = null;
  const down = (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.composedPath()[0];
    if (target instanceof Element) {
      if (target.matches(TYPING)) return;
      // a picture with a cursor of its own, reached with the keyboard, keeps its arrow keys
      if (event.key.startsWith("Arrow") && target.matches("[data-arrows]:focus-visible")) return;
      // a control reached with the keyboard keeps its own space key; one that was clicked does not hold on to it
      if (event.key === " " && target !== document.body && target.matches(":focus-visible")) return;
    }
    event.preventDefault();
    swallowed = event.key;
    if (event.repeat && event.key === " ") return;
    action();
  };
  const up = (event) => {
    if (event.key === swallowed && event.key === " ") event.preventDefault();
    swallowed = null;
  };
  document.addEventListener("keydown", down, true);
  document.addEventListener("keyup", up, true);
  return () => {
    document.removeEventListener("keydown", down, true);
    document.removeEventListener("keyup", up, true);
  };
}
