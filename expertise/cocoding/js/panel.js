// Beside the text: choose a word for a passage, say why, see what you did.

import { button, h } from "./dom.js";

const letters = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function found(cards, typed) {
  const wanted = letters(typed).split(/\s+/u).filter(Boolean);
  const score = (card) => {
    const name = letters(card.name);
    const all = letters(`${card.name} ${card.text} ${card.example}`);
    if (!wanted.every((word) => all.includes(word))) return 0;
    return wanted.every((word) => name.includes(word)) ? 2 : 1;
  };
  return cards.map((card) => [score(card), card]).filter(([n]) => n).sort((a, b) => b[0] - a[0]).map(([, card]) => card);
}

// Choosing: adjust the passage by word, type to find a word, read its card.
export function chooser({ words, cards, view, inside, onCode, onOpen, onClear }) {
  const list = h("ul", { class: "cc-cards", "aria-label": words("codes") });
  const draw = () => list.replaceChildren(...found(cards, search.value).map((card) => item(card, words, onCode)));
  const search = h("input", {
    type: "search", id: "cc-search", autocomplete: "off", spellcheck: "false",
    on: {
      input: () => { draw(); count.textContent = words("codes_found", { n: list.children.length }); },
      keydown: (event) => {
        const first = list.querySelector("button");
        if (event.key === "Enter") first?.click();
        else if (event.key === "ArrowDown") first?.focus();
        else return;
        event.preventDefault();
      },
    },
  });
  const count = h("p", { class: "cc-hidden", role: "status" });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...list.querySelectorAll(".cc-card > button")];
    const at = all.indexOf(event.target);
    if (!step || at < 0) return;
    (all[at + step] ?? (step < 0 ? search : event.target)).focus();
    event.preventDefault();
  });
  draw();
  const edge = (label, which, step) => button(words(label), () => view.adjust(which, step), { class: "cc-small" });
  const { start, end } = view.selection;
  return {
    node: h("section", { class: "cc-chooser", "aria-labelledby": "cc-chooser-title" },
      h("div", { class: "cc-head" }, h("h2", { id: "cc-chooser-title" }, words("which_word")),
        button(words("clear"), onClear, { class: "cc-small" })),
      h("blockquote", { class: "cc-quote", lang: "nl" }, view.brief(start, end)),
      inside.length ? h("p", { class: "cc-here" }, words("already"), " ",
        ...inside.map((one) => button(view.nameOf(one.code), () => onOpen(one.uuid), { class: "cc-small" }))) : null,
      h("label", { for: "cc-search" }, words("search")), search, count, list,
      h("details", { class: "cc-adjust" }, h("summary", {}, words("adjust")),
        h("div", { class: "cc-row" }, edge("start_earlier", "start", -1), edge("start_later", "start", 1)),
        h("div", { class: "cc-row" }, edge("end_earlier", "end", -1), edge("end_later", "end", 1)))),
    focus: () => search.focus(),
  };
}

function item(card, words, onCode) {
  const name = h("span", { class: "cc-name" }, h("span", { class: "cc-swatch", "aria-hidden": "true" }), card.name);
  if (card.colour) name.firstChild.style.setProperty("--cc-code", card.colour);
  const lines = [["example", card.example], ["counter_example", card.counter_example]].filter(([, text]) => text);
  return h("li", { class: "cc-card" },
    button([name, h("span", { class: "cc-what" }, card.text)], () => onCode(card.code)),
    lines.length ? h("details", {},
      h("summary", { "aria-label": words("more_about", { name: card.name }) }, words("more")),
      ...lines.map(([key, text]) => h("p", {}, h("strong", {}, words(key)), " ", text))) : null);
}

// One coding: why, doubt, take away.
export function detail({ words, coding, name, quote, memo, conflict, editable, onMemo, onDoubt, onRemove, onClose }) {
  const why = h("textarea", { id: "cc-why", rows: 3, value: memo?.text ?? "", maxlength: 10000 });
  const choice = (value, key) => h("label", { class: "cc-choice" },
    h("input", { type: "radio", name: "cc-shared", value, checked: Boolean(memo?.shared) === (value === "shared") }), words(key));
  const shared = h("fieldset", {}, h("legend", {}, words("memo_for")), choice("private", "memo_private"), choice("shared", "memo_shared"));
  const save = () => onMemo(why.value, shared.querySelector("input:checked").value === "shared");
  return {
    node: h("section", { class: "cc-detail", "aria-labelledby": "cc-detail-title" },
      h("div", { class: "cc-head" }, h("h2", { id: "cc-detail-title", tabindex: -1 }, name),
        button(words("done_here"), onClose, { class: "cc-small" })),
      h("blockquote", { class: "cc-quote", lang: "nl" }, quote),
      conflict ? h("div", { class: "cc-conflict", role: "alert" }, h("p", {}, words("memo_conflict")),
        h("blockquote", {}, conflict.text)) : null,
      h("label", { for: "cc-why" }, words("why")), why, shared,
      h("div", { class: "cc-row" },
        button(words("save"), save, { class: "cc-main" }),
        editable ? button(coding.doubted ? words("doubted") : words("doubt"), onDoubt, { disabled: coding.doubted }) : null,
        editable ? button(words("remove"), onRemove) : null),
      h("p", { class: "cc-soft" }, words("doubt_help"))),
    focus: () => why.focus(),
  };
}

// Nothing chosen: how it works, and what you did so far; of very many marks the last ones.
export function overview({ words, codings, nameOf, briefOf, onOpen, onAll, onUndo, undoable, editable, most }) {
  const row = (one) => h("li", {},
    button([h("strong", {}, nameOf(one.code), one.doubted ? words("doubt_mark") : ""), " ",
            h("span", { lang: "nl" }, briefOf(one))], () => onOpen(one.uuid)));
  const done = codings.slice(-most).sort((a, b) => a.start - b.start).map(row);
  return {
    node: h("section", { class: "cc-overview", "aria-labelledby": "cc-overview-title" },
      h("h2", { id: "cc-overview-title" }, words("my_marks")),
      done.length ? h("ol", { class: "cc-done" }, done) : h("p", {}, words("no_marks")),
      done.length < codings.length ? button(words("all_marks", { n: codings.length }), onAll) : null,
      editable ? button(words("undo"), onUndo, { disabled: !undoable }) : null,
      editable ? h("details", {}, h("summary", {}, words("how")), ...["how_touch", "how_mouse", "how_keys", "how_single"]
        .map((key) => h("p", {}, words(key)))) : null),
    focus: () => {},
  };
}
