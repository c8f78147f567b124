// Before and after reading: welcome, topics, the list of texts, what others chose in practice.

import { button, h } from "./dom.js";

const DONE = new Set(["finished", "skipped", "returned"]);
export const next = (texts) => texts.find((one) => one.state === "opened") ?? texts.find((one) => !DONE.has(one.state));

export function about(words, { practice, topics }) {
  if (practice) return words("practice_about");
  return topics.length ? words("about", { topics: topics.join(", ") }) : words("about_nothing");
}

export function named(words, texts, document) {
  const real = texts.filter((one) => !one.practice);
  const at = real.findIndex((one) => one.document === document);
  return at < 0 ? words("practice_text") : words("text_of", { n: at + 1, total: real.length });
}

export function deskScreen({ words, app }) {
  const { texts, declined, stage, revealed } = app.desk;
  const first = !texts.some((one) => one.state);
  const real = texts.filter((one) => !one.practice);
  const finished = real.filter((one) => DONE.has(one.state)).length;
  const waiting = next(texts);
  const title = words("welcome", { name: app.me });
  return h("section", { class: "cc-desk" },
    h("h1", { tabindex: -1 }, title),
    first ? h("div", { class: "cc-lead" }, ...words("welcome_text").split("\n").map((line) => h("p", {}, line)))
      : h("p", { class: "cc-lead" }, words("progress", { n: finished, total: real.length })),
    revealed && stage !== "together" ? joining(words, app) : null,
    stage === "together" ? h("p", {}, button(words("to_meeting"), () => app.meet(), { class: "cc-main" })) : null,
    waiting && stage !== "together"
      ? h("p", {}, button(words(first ? "begin" : "go_on"), () => app.offer(waiting), { class: "cc-main" })) : null,
    !waiting && stage !== "together" ? h("div", { class: "cc-note" }, h("p", {}, words("all_done")),
      button(words("leave"), () => app.leave())) : null,
    h("details", { class: "cc-topics", open: declined.length > 0 }, h("summary", {}, words("topics_title")),
      topicsForm(words, app)),
    h("h2", {}, words("texts")),
    h("ol", { class: "cc-texts" }, ...texts.map((one) => row(words, app, one))),
    h("p", {}, button(words("refresh"), () => app.home(), { class: "cc-small" })));
}

function row(words, app, one) {
  return h("li", {}, button(
    [h("strong", {}, named(words, app.desk.texts, one.document)),
     h("span", { class: "cc-what" }, about(words, one)),
     one.state ? h("span", { class: "cc-state" }, words(`state_${one.state}`), marked(words, one.marks)) : null],
    () => app.offer(one)));
}

function marked(words, n) {
  return n ? ` · ${n === 1 ? words("mark") : words("marks", { n })}` : "";
}

function joining(words, app) {
  return h("div", { class: "cc-note" }, h("h2", {}, words("revealed_title")), h("p", {}, words("revealed_text")),
    button(words("join"), () => app.join(), { class: "cc-main" }));
}

function topicsForm(words, app) {
  const { declined } = app.desk;
  const all = [...new Set([...app.desk.texts.flatMap((one) => one.topics), ...declined])].sort((a, b) => a.localeCompare(b));
  const form = h("div", {}, h("p", {}, words("topics_text")),
    h("div", { class: "cc-ticks" }, ...all.map((topic) => h("label", { class: "cc-choice" },
      h("input", { type: "checkbox", value: topic, checked: declined.includes(topic) }), topic))),
    button(words("topics_save"), () =>
      app.decline([...form.querySelectorAll("input:checked")].map((one) => one.value))));
  return form;
}

// What a text is about, before a word of it is shown.
export function offerScreen({ words, app, text }) {
  return h("section", { class: "cc-offer" },
    h("h1", { tabindex: -1 }, named(words, app.desk.texts, text.document)),
    h("p", { class: "cc-lead" }, about(words, text)),
    text.practice ? h("p", {}, words("practice_text_help")) : h("p", {}, words("offer_text")),
    h("div", { class: "cc-row" },
      button(words("read"), () => app.open(text.document), { class: "cc-main" }),
      button(words("rather_not"), () => app.act({ kind: "return", document: text.document })),
      button(words("back"), () => app.home())));
}

// "Others chose also …": no score, no right or wrong.
// Who is the first sees examples of the word list instead, and is told so.
export function othersScreen({ words, app, others, examples, text, mine }) {
  const first = !others.length;
  const too = (one) => mine.some((own) => own.code === one.code && own.start < one.end && own.end > one.start);
  const said = (one) => words(first ? "first_example" : too(one) ? "others_same" : "others_too", { name: app.nameOf(one.code) });
  const lines = (first ? examples : others).map((one) => h("li", {},
    h("blockquote", { class: "cc-quote", lang: "nl" }, text.brief(one.start, one.end)),
    h("p", {}, said(one)),
    ...one.memos.map((memo) => h("p", { class: "cc-soft", lang: "nl" }, words("because", { text: memo })))));
  const chosen = new Set(mine.map((one) => one.code));
  const cards = app.desk.cards.filter((card) => chosen.has(card.code) && card.example).map((card) => h("li", {},
    h("blockquote", { class: "cc-quote", lang: "nl" }, card.example), h("p", {}, words("first_card", { name: card.name }))));
  const shown = lines.length || !first ? lines : cards;
  return h("section", {},
    h("h1", { tabindex: -1 }, words(first ? "first_title" : "others_title")),
    h("p", {}, words(!first ? "others_text" : shown.length ? "first_text" : "others_none")),
    shown.length ? h("ul", { class: "cc-others" }, shown) : null,
    button(words("go_on"), () => app.home(), { class: "cc-main" }));
}
