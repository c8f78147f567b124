// The text: a <p> per paragraph, a focusable <span> per sentence, codes as <mark>.

import { h } from "./dom.js";

const MOST_LABELS = 2; // more codes on one spot than this go to the margin

export function split(text, lang) {
  const sentences = new Intl.Segmenter(lang, { granularity: "sentence" });
  const paragraphs = [];
  let at = 0;
  for (const line of text.split("\n")) {
    const found = [];
    for (const { segment, index } of sentences.segment(line)) {
      const end = index + segment.trimEnd().length;
      const start = index + segment.length - segment.trimStart().length;
      if (end > start) found.push({ start: at + start, end: at + end, until: at + index + segment.length });
    }
    if (found.length) paragraphs.push({ start: at, end: at + line.length, sentences: found });
    at += line.length + 1;
  }
  return paragraphs;
}

export class TextView {
  // on: { choose(), changed(selection), open(uuid), code(number), undo(), announce(words) }
  constructor({ text, lang, words, on }) {
    Object.assign(this, { text, lang, words, on, codings: [], nameOf: () => "", selection: null });
    this.current = 0;
    this.anchor = null;
    this.paragraphs = split(text, lang);
    this.sentences = this.paragraphs.flatMap((one) => one.sentences);
    this.describing = h("span", { id: `cc-about-${crypto.randomUUID()}`, class: "cc-hidden" });
    this.node = h("div", { class: "cc-text", lang: "nl", role: "group", "aria-label": words("text_label") });
    let number = 0;
    for (const paragraph of this.paragraphs) {
      paragraph.node = h("p");
      for (const sentence of paragraph.sentences) {
        sentence.number = number;
        sentence.node = h("span", { class: "cc-sentence", tabindex: number ? -1 : 0, "data-number": number,
                                    "aria-describedby": this.describing.id });
        paragraph.node.append(sentence.node, " ");
        number += 1;
      }
      paragraph.margin = h("ul", { class: "cc-margin", "aria-label": words("marks_here"), hidden: true });
      this.node.append(h("div", { class: "cc-paragraph" }, paragraph.node, paragraph.margin));
    }
    this.node.append(this.describing);
    this.listen();
    this.paint();
  }

  listen() {
    this.node.addEventListener("click", (event) => this.clicked(event));
    this.node.addEventListener("keydown", (event) => this.keyed(event));
    this.node.addEventListener("focusin", (event) => {
      const number = event.target.dataset?.number;
      if (number !== undefined) this.arrive(Number(number));
    });
    this.node.addEventListener("mousedown", () => { this.dragged = false; });
    this.release = (event) => this.released(event);
    document.addEventListener("mouseup", this.release);
    this.node.addEventListener("mousedown", () => { this.pressed = true; });
  }

  close() {
    document.removeEventListener("mouseup", this.release);
  }

  // ---- choosing -------------------------------------------------------------

  select(start, end, words = null) {
    this.selection = start < end ? { start, end } : null;
    this.paint();
    this.on.changed(this.selection);
    if (words) this.on.announce(words);
    else if (this.selection) this.on.announce(this.words("chosen", { text: this.brief(start, end) }));
  }

  clear(words = "") {
    this.anchor = null;
    if (this.selection || words) this.select(0, 0, words);
  }

  brief(start, end) {
    const said = this.text.slice(start, end).trim();
    if (said.length <= 90) return said;
    return `${said.slice(0, 50).replace(/\s+\S*$/u, "")} … ${said.slice(-35).replace(/^\S*\s+/u, "")}`;
  }

  between(first, last) {
    const [a, b] = first <= last ? [first, last] : [last, first];
    return [this.sentences[a].start, this.sentences[b].end];
  }

  clicked(event) {
    const label = event.target.closest("[data-coding]");
    if (label) return this.on.open(label.dataset.coding);
    const span = event.target.closest(".cc-sentence");
    if (!span || this.dragged) return undefined;
    const number = Number(span.dataset.number);
    this.move(number, false);
    // The first tap chooses a sentence, the next one the last sentence; then it starts anew.
    if (this.anchor === null) {
      this.anchor = number;
      return this.select(...this.between(number, number));
    }
    const from = this.anchor;
    this.anchor = null;
    return number === from && this.whole(from) ? this.clear(this.words("nothing_chosen"))
      : this.select(...this.between(from, number));
  }

  whole(number) {
    const { start, end } = this.sentences[number];
    return this.selection?.start === start && this.selection?.end === end;
  }

  released(event) {
    if (!this.pressed) return;
    this.pressed = false;
    const chosen = this.node.getRootNode().getSelection?.() ?? globalThis.getSelection();
    if (!chosen || chosen.isCollapsed || !chosen.rangeCount) return;
    const range = chosen.getRangeAt(0);
    this.dragged = true;
    setTimeout(() => { this.dragged = false; }, 0);
    if (!this.node.contains(range.startContainer) || !this.node.contains(range.endContainer)) {
      chosen.removeAllRanges();
      this.clear(this.words("nothing_chosen")); // never leave an older passage to be coded by mistake
      return;
    }
    const [start, end] = this.snap(this.offset(range.startContainer, range.startOffset),
                                   this.offset(range.endContainer, range.endOffset));
    chosen.removeAllRanges();
    this.anchor = null;
    if (start < end) this.select(start, end);
    else this.clear(this.words("nothing_chosen"));
    event.preventDefault();
  }

  offset(container, offset) {
    const piece = container.parentElement?.closest("[data-at]");
    if (container.nodeType === Node.TEXT_NODE && piece && !container.parentElement.closest("[data-coding]")) {
      return Number(piece.dataset.at) + offset;
    }
    const edge = document.createRange();
    edge.setStart(container, offset);
    for (const one of this.node.querySelectorAll("[data-at]")) {
      if (edge.comparePoint(one, 0) >= 0) return Number(one.dataset.at);
    }
    return this.text.length;
  }

  // Whole words only: a passage never begins or ends inside one.
  snap(start, end) {
    while (start < end && /\s/u.test(this.text[start])) start += 1;
    while (end > start && /\s/u.test(this.text[end - 1])) end -= 1;
    if (start >= end) return [0, 0];
    const before = this.word(start);
    const after = this.word(end - 1);
    return [before.start, after.end];
  }

  word(at) {
    const paragraph = this.paragraphs.find((one) => one.start <= at && at < one.end);
    if (!paragraph) return { start: at, end: at + 1 };
    const line = this.text.slice(paragraph.start, paragraph.end);
    const found = this.wordsOf(line).containing(at - paragraph.start);
    return { start: paragraph.start + found.index, end: paragraph.start + found.index + found.segment.length };
  }

  wordsOf(line) {
    return new Intl.Segmenter(this.lang, { granularity: "word" }).segment(line);
  }

  // Moves one edge ("start" or "end") by a word, +1 or -1.
  adjust(edge, step) {
    if (!this.selection) return;
    let { start, end } = this.selection;
    const text = this.text;
    if (edge === "start" && step < 0) {
      let at = start - 1;
      while (at > 0 && /\s/u.test(text[at])) at -= 1;
      if (at >= 0) start = this.word(at).start;
    } else if (edge === "start") {
      let at = this.word(start).end;
      while (at < text.length && /\s/u.test(text[at])) at += 1;
      start = at;
    } else if (step > 0) {
      let at = end;
      while (at < text.length && /\s/u.test(text[at])) at += 1;
      if (at < text.length) end = this.word(at).end;
    } else {
      let at = this.word(end - 1).start;
      while (at > 0 && /\s/u.test(text[at - 1])) at -= 1;
      end = at;
    }
    if (start < end) this.select(start, end);
  }

  // ---- keys -----------------------------------------------------------------

  keyed(event) {
    if (event.target.dataset?.number === undefined || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10,
                    Home: -Infinity, End: Infinity };
    if (event.key in steps && !command) {
      const from = this.current;
      this.move(Math.min(Math.max(from + steps[event.key], 0), this.sentences.length - 1), true);
      if (event.shiftKey) {
        this.anchor ??= from;
        this.select(...this.between(this.anchor, this.current));
      } else this.anchor = null;
    } else if (event.key === "Enter" || event.key === " ") {
      if (!this.selection) this.select(...this.between(this.current, this.current));
      this.on.choose();
    } else if (command && event.key.toLowerCase() === "z") this.on.undo();
    else if (command || !this.on.key(event.key)) return;
    event.preventDefault();
  }

  move(number, focus) {
    const old = this.sentences[this.current].node;
    old.tabIndex = -1;
    old.classList.remove("cc-current");
    this.current = number;
    const { node } = this.sentences[number];
    node.tabIndex = 0;
    node.classList.add("cc-current");
    if (focus) {
      this.arrive(number);
      node.focus();
    }
  }

  arrive(number) {
    if (number !== this.current) this.move(number, false);
    const names = this.at(number).map((one) => this.nameOf(one.code));
    const n = number + 1;
    this.describing.textContent = names.length
      ? this.words("sentence_marked", { n, codes: names.join(", ") }) : this.words("sentence", { n });
  }

  at(number) {
    const { start, end } = this.sentences[number];
    return this.codings.filter((one) => one.start < end && one.end > start);
  }

  focus() {
    this.sentences[this.current]?.node.focus();
  }

  reveal() {
    this.sentences[this.current]?.node.scrollIntoView({ block: "nearest" });
  }

  // ---- painting -------------------------------------------------------------

  show(codings, nameOf, colourOf) {
    Object.assign(this, { nameOf, colourOf });
    this.codings = [...codings].sort((a, b) => a.start - b.start || a.end - b.end);
    this.paint();
    this.arrive(this.current);
  }

  paint() {
    const here = new Map(this.paragraphs.map((one) => [one, []]));
    for (const coding of this.codings) {
      for (let i = this.first(coding.start); i < this.paragraphs.length; i += 1) {
        if (this.paragraphs[i].start >= coding.end) break;
        here.get(this.paragraphs[i]).push(coding);
      }
    }
    for (const [paragraph, codings] of here) {
      const chosen = this.selection && this.selection.start < paragraph.end && this.selection.end > paragraph.start
        ? this.selection : null;
      const drawn = JSON.stringify([chosen, codings.map((one) => [one.uuid, one.code, one.doubted])]);
      if (drawn === paragraph.drawn) continue; // only paragraphs that changed are drawn again
      paragraph.drawn = drawn;
      this.draw(paragraph, codings, chosen);
    }
  }

  first(at) {
    let low = 0;
    let high = this.paragraphs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.paragraphs[middle].end <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  draw(paragraph, codings, chosen) {
    const edges = codings.flatMap((one) => [one.start, one.end]);
    if (chosen) edges.push(chosen.start, chosen.end);
    const deep = (at) => codings.filter((one) => one.start <= at && at < one.end);
    const crowded = edges.some((at) => deep(at).length > MOST_LABELS);
    for (const sentence of paragraph.sentences) {
      const cuts = [...new Set([sentence.start, sentence.end,
        ...edges.filter((at) => at > sentence.start && at < sentence.end)])].sort((a, b) => a - b);
      const pieces = cuts.slice(0, -1).flatMap((at, i) => {
        const piece = this.piece(at, cuts[i + 1], deep(at), chosen);
        const ends = crowded ? [] : codings.filter((one) => one.end === cuts[i + 1]);
        return [piece, ...ends.map((one) => this.label(one, { "aria-hidden": "true" }))];
      });
      sentence.node.replaceChildren(...pieces);
    }
    paragraph.margin.hidden = !crowded;
    paragraph.margin.replaceChildren(...(crowded ? codings : []).map((one) => h("li", {}, this.label(one))));
  }

  piece(start, end, codings, chosen) {
    const inside = chosen && chosen.start <= start && end <= chosen.end;
    const node = h(codings.length ? "mark" : "span", { "data-at": start, class: inside ? "cc-chosen" : null },
                   this.text.slice(start, end));
    if (codings.length) {
      node.dataset.codes = Math.min(codings.length, 3);
      codings.slice(0, 2).forEach((one, i) => node.style.setProperty(`--cc-bar-${i}`, this.colourOf(one.code)));
    }
    return node;
  }

  // The name of a code: after its passage a hint for the eye, for focus says it in words; in the margin to be read.
  label(coding, attributes = {}) {
    const doubt = coding.doubted ? this.words("doubt_mark") : "";
    return h("span", { class: "cc-label", "data-coding": coding.uuid, ...attributes },
             `${this.nameOf(coding.code)}${doubt}`);
  }
}
