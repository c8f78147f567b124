// At the meeting: what was shared first, then where people read differently.

import { button, h } from "./dom.js";

const CHOICES = ["one", "both", "later"];

// On the wall nobody's own reading may show: there the page is everyone's.
export function meetingScreen({ words, app, passages: all, wall = false }) {
  const passages = wall ? all.map((one) => ({ ...one, readings: one.readings.map((r) => ({ ...r, mine: "" })) })) : all;
  const shared = passages.filter((one) => one.shared).slice(0, 3);
  const others = passages.filter((one) => !shared.includes(one));
  const toggle = button(words(wall ? "wall_off" : "wall"), () => app.meet(!wall));
  const part = (title, list) => (list.length
    ? [h("h2", {}, words(title)), h("ol", { class: "cc-passages" }, ...list.map((one) => passage(words, app, one)))] : []);
  return h("section", { class: "cc-meeting" },
    h("h1", { tabindex: -1 }, words("meeting_title")),
    h("p", { class: "cc-lead" }, words("meeting_text")),
    h("div", { class: "cc-row" }, button(words("refresh"), () => app.meet(wall)), toggle, button(words("back"), () => app.home()),
      app.model.get("minutes") ? h("a", { href: app.model.get("minutes") }, words("minutes")) : null),
    ...(passages.length ? [] : [h("p", {}, words("meeting_empty"))]),
    ...part("meeting_shared", shared), ...part("meeting_different", others));
}

function passage(words, app, one) {
  const form = h("div", { class: "cc-decide", "aria-live": "polite" });
  const mine = one.readings.filter((reading) => reading.mine);
  return h("li", { class: "cc-passage" },
    h("blockquote", { class: "cc-quote", lang: "nl" }, one.text),
    h("ul", { class: "cc-readings" }, ...one.readings.map((reading) => held(words, app, one, reading))),
    one.decision ? h("p", { class: "cc-note" }, words("decided", { choice: words(`choice_${one.decision}`) })) : null,
    ...(one.kept ?? []).map((kept) => h("div", { class: "cc-kept" },
      h("p", {}, h("strong", {}, app.nameOf(kept.code)), kept.wording ? `: ${kept.wording}` : "",
        kept.approved ? h("span", { class: "cc-soft" }, ` · ${words("approved")}`) : ""),
      mine.some((reading) => reading.code === kept.code) && !kept.approved
        ? button(words("approve"), () => app.actHere({ kind: "approve", target: kept.uuid, show: kept.shown })) : null)),
    app.model.get("facilitator") ? [h("div", { class: "cc-three" }, ...CHOICES.map((choice) =>
      button(words(`choice_${choice}`), () => decide(words, app, one, choice, form)))), form] : null);
}

// Only with their yes is a lone holder's perspective shown.
function held(words, app, one, reading) {
  const by = reading.perspectives.map((role) => app.model.get("perspectives")[role] ?? { label: role, slot: 0 });
  const who = by.length ? by.map(({ label, slot }) => h("span", { class: "cc-role", "data-slot": slot }, label))
    : h("span", { class: "cc-soft" }, words(reading.mine ? "only_you" : "someone"));
  return h("li", {}, h("strong", {}, app.nameOf(reading.code)), " ", who,
    ...reading.memos.map((memo) => h("p", { class: "cc-soft", lang: "nl" }, `“${memo}”`)),
    reading.mine && !by.length ? [" ", button(words("show_mine"), () => app.actHere({ kind: "approve", target: reading.mine, show: true }), { class: "cc-small" })] : null);
}

function decide(words, app, one, choice, form) {
  const send = (readings) => app.resolve({ kind: "resolve", document: one.document, sha256: one.sha256,
    start: one.start, end: one.end, choice, readings });
  if (choice === "later") return send([]);
  const rows = (choice === "one" ? [one.readings[0]] : one.readings.length > 1 ? one.readings : [one.readings[0], one.readings[0]])
    .map((reading, i) => ({
      code: h("select", { "aria-label": words("reading_code", { n: i + 1 }) }, ...app.desk.cards.map((card) =>
        h("option", { value: card.code, selected: card.code === reading.code }, card.name))),
      text: h("textarea", { rows: 2, maxlength: 10000, "aria-label": words("reading_text", { n: i + 1 }) }),
    }));
  form.replaceChildren(h("p", {}, words(`choice_${choice}_help`)), ...rows.flatMap((row) => [row.code, row.text]),
    h("div", { class: "cc-row" }, button(words("keep"), () =>
      send(rows.map((row) => ({ code: row.code.value, text: row.text.value }))), { class: "cc-main" }),
      button(words("cancel"), () => form.replaceChildren())));
  return rows[0].code.focus();
}
