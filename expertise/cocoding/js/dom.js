// Builds elements; text only ever becomes text nodes, so nothing in it can run.

const FOCUSABLE = new Set(["button", "input", "textarea", "select", "summary", "a"]);

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [kind, act] of Object.entries(value)) node.addEventListener(kind, act);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  // JupyterLab leaves keys alone in what is marked so.
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function button(label, act, attributes = {}) {
  return h("button", { type: "button", on: { click: act }, ...attributes }, label);
}
