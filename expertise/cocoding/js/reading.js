// The open text: reading, marking, and what stands beside it.

import { button, h } from "./dom.js";
import { positions } from "./positions.js";
import { lastToUndo } from "./state.js";
import { TextView } from "./text.js";
import { chooser, detail, overview } from "./panel.js";
import { about, named, othersScreen } from "./desk.js";

export class Reading {
  constructor(app, text) {
    Object.assign(this, { app, ...text, words: app.words, opened: null, conflict: null, most: 50 });
    this.at = positions(text.text);
    this.view = new TextView({ text: text.text, lang: "nl", words: this.words, on: {
      changed: () => { this.opened = null; this.side(); },
      choose: () => this.beside.focus(),
      open: (uuid) => this.lookAt(uuid),
      key: (key) => this.key(key),
      undo: () => this.undo(),
      announce: (words) => app.announce(words),
    } });
    this.panel = h("aside", { class: "cc-panel", "aria-label": this.words("panel_label") });
    this.foot = h("div", { class: "cc-foot" });
    this.node = this.screen();
    this.paint();
    this.side();
  }

  screen() {
    const { words, app } = this;
    return h("section", { class: "cc-reading" },
      h("header", { class: "cc-header" }, button(words("back"), () => app.home(), { class: "cc-small" }),
        h("h1", { tabindex: -1 }, named(words, app.desk.texts, this.document)),
        app.reader.possible ? button(words("read_aloud"), () => this.aloud(), { class: "cc-small" }) : null),
      h("p", { class: "cc-soft" }, about(words, { practice: this.round === "practice", topics: this.topics })),
      h("div", { class: "cc-columns" }, h("div", {}, this.view.node, this.foot), this.panel));
  }

  aloud() {
    const { view, app } = this;
    const { start, end } = view.selection ?? { start: view.sentences[view.current].start, end: view.text.length };
    app.reader.read(view.text.slice(start, end), (said) => app.tell(said));
  }

  footer() {
    const { words, app, document } = this;
    const rows = this.editable
      ? [button(words("finish"), () => this.finish(), { class: "cc-main" }),
         button(words("skip"), () => app.act({ kind: "skip", document })),
         button(words("return"), () => app.giveBack(document))]
      : [h("p", {}, words("is_finished")),
         button(words("unfinish"), () => this.unfinish()), button(words("back"), () => app.home())];
    this.foot.replaceChildren(...rows);
  }

  async finish() {
    const { app, document, at, view, words } = this;
    const mine = this.mine();
    if (this.round !== "practice") return app.act({ kind: "finish", document });
    const answer = await app.ask({ kind: "finish", document });
    if (!answer) return undefined;
    const here = (list) => list.map((one) => ({ ...one, start: at.toUnit(one.start), end: at.toUnit(one.end) }));
    return app.show(othersScreen({ words, app, others: here(answer.others), examples: here(answer.examples), mine, text: view }));
  }

  unfinish() {
    const act = this.app.standing().live.findLast((one) => one.kind === "finished" && one.document === this.document);
    if (act) this.app.push({ kind: "undo", target: act.uuid });
  }

  close() {
    this.app.reader.stop();
    this.view.close();
  }

  // Own codings in the open text as they were made, in JavaScript's units.
  mine() {
    const { document, at } = this;
    return [...this.state.codings.values()].filter((one) => one.document === document)
      .map((one) => ({ ...one, start: at.toUnit(one.start), end: at.toUnit(one.end) }));
  }

  paint() {
    this.state = this.app.standing();
    const { document, view, app } = this;
    const editable = this.state.work.get(document) !== "finished";
    view.show(this.mine(), (code) => app.nameOf(code), (code) => app.colourOf(code));
    if (editable !== this.editable || !this.foot.children.length) {
      this.editable = editable;
      this.footer();
    }
    // Do not draw a form again under someone's hands.
    if (!view.selection && !(this.opened && !this.conflict)) this.side();
  }

  side() {
    const { view, app } = this;
    this.state = this.app.standing();
    const codings = this.mine();
    const coding = codings.find((one) => one.uuid === this.opened);
    this.opened = coding?.uuid ?? null;
    const { words } = this;
    const nameOf = (code) => app.nameOf(code);
    if (coding) this.beside = this.detailOf(coding);
    else if (view.selection && this.editable) {
      const { start, end } = view.selection;
      this.beside = chooser({ words, cards: app.desk.cards, view,
        inside: codings.filter((one) => one.start < end && one.end > start),
        onCode: (code) => this.code(code, start, end), onOpen: (uuid) => this.lookAt(uuid),
        onClear: () => { view.clear(words("nothing_chosen")); view.focus(); } });
    } else {
      this.beside = overview({ words, codings, nameOf, briefOf: (one) => view.brief(one.start, one.end),
        onOpen: (uuid) => this.lookAt(uuid), onUndo: () => this.undo(), editable: this.editable,
        most: this.most, onAll: () => { this.most = Infinity; this.side(); },
        undoable: Boolean(lastToUndo(this.state.live, this.document)) });
    }
    this.node.classList.toggle("cc-beside", Boolean(coding || view.selection));
    this.panel.replaceChildren(this.beside.node);
    if (view.selection) view.reveal();
  }

  detailOf(coding) {
    const { view, app } = this;
    const memo = app.memos[coding.uuid];
    const conflict = this.conflict?.target === coding.uuid ? this.conflict : null;
    this.conflict = null;
    return detail({ words: this.words, coding, memo, conflict, name: app.nameOf(coding.code),
      quote: view.brief(coding.start, coding.end), editable: this.editable,
      onMemo: (text, shared) => {
        const waiting = app.queue.here.filter((one) => one.kind === "memo" && one.target === coding.uuid).length;
        const version = (memo?.version ?? 0) + waiting;
        app.push({ kind: "memo", target: coding.uuid, text, shared, version });
        app.memos[coding.uuid] = { ...memo, text, shared };
        this.lookAway();
      },
      onDoubt: () => { app.push({ kind: "doubt", target: coding.uuid }); app.announce(this.words("doubt_help")); this.side(); },
      onRemove: () => { app.push({ kind: "remove", target: coding.uuid }); this.lookAway(); },
      onClose: () => this.lookAway() });
  }

  lookAt(uuid) {
    this.view.selection = null;
    this.view.anchor = null;
    this.view.paint();
    this.opened = uuid;
    this.side();
    this.beside.focus();
  }

  lookAway() {
    this.opened = null;
    this.paint();
    this.view.focus();
  }

  code(code, start, end) {
    const { view, document, sha256, at, round, app } = this;
    view.selection = null;
    view.anchor = null;
    this.opened = crypto.randomUUID();
    app.push({ kind: "apply", document, sha256, round, code, start: at.toPoint(start), end: at.toPoint(end) }, this.opened);
    app.announce(this.words("coded", { name: app.nameOf(code) }));
    this.side();
    view.focus();
  }

  // Single keys: 1–9 a code, u undo, w why, t doubt; they can be switched off.
  key(key) {
    const { view, app } = this;
    if (!app.look.chosen.single || !this.editable) return false;
    const card = /^[1-9]$/u.test(key) ? app.desk.cards[Number(key) - 1] : null;
    const marked = view.at(view.current).at(-1);
    if (card) {
      const [first, last] = view.between(view.current, view.current);
      const { start, end } = view.selection ?? { start: first, end: last };
      this.code(card.code, start, end);
    } else if (key === "u") this.undo();
    else if (key === "w" && marked) this.lookAt(marked.uuid);
    else if (key === "t" && marked) app.push({ kind: "doubt", target: marked.uuid });
    else return false;
    return true;
  }

  undo() {
    const { app } = this;
    const act = lastToUndo(app.standing().live, this.document);
    if (!act) return app.announce(this.words("nothing_to_undo"));
    this.opened = null;
    app.push({ kind: "undo", target: act.uuid });
    return app.announce(this.words("undone"));
  }
}
