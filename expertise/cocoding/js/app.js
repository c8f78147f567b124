// One coder at work: draws what stands, sends what the coder does.

import { button, h } from "./dom.js";
import { Queue, Unreachable, wire } from "./wire.js";
import { fold, pending } from "./state.js";
import { Look, pausePanel, reader } from "./settings.js";
import { deskScreen, offerScreen } from "./desk.js";
import { meetingScreen } from "./together.js";
import { Reading } from "./reading.js";

export class App {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.sentences = model.get("words");
    this.me = model.get("name");
    this.words = (key, values = {}) =>
      (this.sentences[key] ?? key).replace(/\{(\w+)\}/gu, (whole, name) => values[name] ?? whole);
    this.acts = new Map(); // of the open text, and those that concern everyone
    this.memos = {};
    this.n = 0;
    this.desk = null;
    this.stands = null; // what follows from acts and queue, until one of them changes
    this.now = null; // the open text: document, sha256, view, at (positions)
    this.wire = wire(model);
    this.frame();
    this.look = new Look(this.root);
    this.queue = new Queue({
      keep: model.get("keep"),
      ask: (message) => this.wire.ask(this.placed(message)),
      changed: () => this.status(),
      answered: (message, answer) => this.answered(message, answer),
    });
    this.reader = reader(this.words, "nl");
    this.menu.replaceWith(this.menu = this.look.menu(this.words, this.extras()));
  }

  frame() {
    const { words } = this;
    this.main = h("div", { class: "cc-screen" });
    this.saved = h("p", { class: "cc-saved", role: "status" });
    this.said = h("p", { class: "cc-hidden", role: "status" });
    this.fault = h("p", { class: "cc-fault", role: "alert", hidden: true });
    this.menu = h("div");
    this.paused = h("div", { class: "cc-screen", hidden: true });
    this.top = h("div", { class: "cc-top" }, this.saved, this.menu,
      button(words("pause"), () => this.pause(), { class: "cc-pause-button", "aria-keyshortcuts": "Escape" }));
    this.root = h("div", { class: "cc", lang: this.model.get("lang") }, this.top, this.fault, this.main, this.paused, this.said);
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.paused.hidden) this.pause();
      event.stopPropagation(); // JupyterLab would take these keys for its own
    });
    this.el.replaceChildren(this.root);
  }

  extras() {
    const { words } = this;
    return [
      this.model.get("keep") && globalThis.location?.pathname === "/" ? button(words("other_device"), () => this.otherDevice()) : null,
      button(words("leave"), () => this.leave()),
      this.model.get("facilitator") && this.model.get("research") ? h("a", { href: this.model.get("research") }, words("research")) : null,
    ];
  }

  async start() {
    await this.home();
    this.queue.pump();
  }

  stop() {
    this.queue.close();
    this.wire.close();
    this.now?.close();
    this.el.replaceChildren();
  }

  // ---- talking with the host ------------------------------------------------

  // Acts on other texts than the open one are not asked for.
  placed(message) {
    return { ...message, after: this.n, within: this.now?.document ?? "" };
  }

  take(answer) {
    if (answer.text) {
      this.acts.clear();
      this.memos = { ...this.memos, ...answer.text.memos };
    }
    for (const act of answer.acts ?? []) this.acts.set(act.uuid, act);
    this.stands = null;
    this.n = Math.max(this.n, answer.n ?? 0);
    if (answer.desk) this.desk = answer.desk;
  }

  // A question needs an answer now; what was done before it goes first.
  async ask(message, place = {}) {
    try {
      await this.queue.pump();
      const answer = await this.wire.ask({ ...this.placed(message), id: crypto.randomUUID(), ...place });
      this.take(answer);
      this.tell(answer.error);
      return answer.error ? null : answer;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      this.tell(this.words(error.message === "signed_out" ? "signed_out" : "no_connection"));
      return null;
    }
  }

  // An act is done at once here, and kept until the host has it.
  push(message, id = crypto.randomUUID()) {
    this.tell("");
    this.stands = null;
    this.queue.push({ ...message, id });
    this.paint();
  }

  answered(message, answer) {
    this.take(answer);
    this.sent = true;
    if (message.kind === "memo") this.remember(message, answer);
    else this.tell(answer.error);
    // The act itself is on the screen since it was done.
    if (answer.error || answer.acts.some((act) => act.uuid !== message.id)) this.paint();
  }

  remember(message, answer) {
    if (answer.conflict) {
      if (this.now) this.now.conflict = { target: message.target, ...answer.conflict };
      this.memos[message.target] = { ...answer.conflict, text: message.text };
    } else if (answer.error) this.tell(answer.error);
    else this.memos[message.target] = { text: message.text, shared: message.shared, version: message.version + 1 };
  }

  status() {
    const waits = this.queue.here.length > 0;
    const { failed } = this.queue;
    this.saved.dataset.waits = this.queue.here.length;
    const muted = this.look.chosen.muted && !failed;
    this.saved.hidden = muted;
    this.saved.setAttribute("role", muted ? "none" : "status");
    this.saved.classList.toggle("cc-waits", waits && Boolean(failed));
    if (waits && !failed) return; // calm: a moment of sending is not worth a word
    const key = !waits ? "saved" : failed === "signed_out" ? "signed_out" : "kept_here";
    if (this.sent || waits) this.saved.textContent = this.words(key);
  }

  tell(problem) {
    this.fault.hidden = !problem;
    this.fault.textContent = problem ?? "";
  }

  announce(text) {
    this.said.textContent = text;
  }

  // ---- screens --------------------------------------------------------------

  show(node, focus = true) {
    if (this.now && node !== this.now.node) this.close();
    this.main.replaceChildren(node);
    if (focus) node.querySelector("h1")?.focus();
  }

  close() {
    this.now.close();
    this.now = null;
  }

  async home() {
    this.asked = null;
    this.onWall = false;
    this.root.classList.remove("cc-wall");
    const had = this.desk !== null;
    await this.ask({ kind: "sync" });
    if (this.desk) this.show(deskScreen({ words: this.words, app: this }), had);
    else this.main.replaceChildren(button(this.words("try_again"), () => this.home()));
  }

  offer(text) {
    if (text.state) this.open(text.document);
    else this.show(offerScreen({ words: this.words, app: this, text }));
  }

  async decline(topics) {
    if (await this.ask({ kind: "decline", topics })) this.show(deskScreen({ words: this.words, app: this }));
  }

  async join() {
    if (await this.ask({ kind: "join" })) this.meet();
  }

  async meet(wall = this.onWall) {
    const asked = (this.asked = {});
    const answer = await this.ask({ kind: "passages" });
    if (this.asked !== asked) return; // the person went elsewhere meanwhile
    if (answer) this.show(meetingScreen({ words: this.words, app: this, passages: answer.passages, wall }));
    this.onWall = Boolean(wall);
    this.root.classList.toggle("cc-wall", this.onWall);
  }

  async act(message) {
    this.push(message);
    await this.queue.pump();
    await this.home();
  }

  async actHere(message) {
    this.push(message);
    await this.queue.pump();
    await this.meet();
  }

  async resolve(message) {
    if (await this.ask(message)) this.meet();
  }

  async open(document) {
    const answer = await this.ask({ kind: "open", document }, { after: 0, within: document });
    if (!answer) return;
    if (this.now) this.close();
    this.now = new Reading(this, answer.text);
    this.show(this.now.node);
  }

  // Nothing is asked, and the text goes at once.
  giveBack(document) {
    this.show(h("h1", { tabindex: -1 }, this.words("returned")));
    this.act({ kind: "return", document });
  }

  pause() {
    this.reader.stop();
    this.back = this.root.contains(document.activeElement) ? document.activeElement : null;
    this.top.hidden = true;
    this.main.hidden = true;
    this.fault.hidden = true;
    const contact = this.model.get("contact");
    this.paused.replaceChildren(pausePanel({ words: this.words, contact, onBack: () => this.resume() }));
    this.paused.hidden = false;
    this.paused.querySelector("h1").focus();
  }

  resume() {
    this.paused.hidden = true;
    this.paused.replaceChildren();
    this.top.hidden = false;
    this.main.hidden = false;
    this.back?.focus();
  }

  async otherDevice() {
    const four = await this.model.fourWords?.();
    this.tell(four ? this.words("four_words", { words: four }) : this.words("no_connection"));
  }

  async leave() {
    await this.queue.pump();
    if (this.queue.here.length) return this.tell(this.words("kept_here"));
    if (this.now) this.close();
    this.acts.clear();
    this.memos = {};
    this.desk = null;
    this.main.replaceChildren(h("h1", { tabindex: -1 }, this.words("left_title")), h("p", {}, this.words("left_text")));
    this.top.hidden = true;
    return this.model.leave?.();
  }

  // ---- coding ---------------------------------------------------------------

  // Folded once for each change, however many parts of the screen ask for it.
  standing() {
    this.stands ??= fold([...this.acts.values(), ...this.queue.here.map(pending)]);
    return this.stands;
  }

  nameOf(code) {
    return this.desk.cards.find((card) => card.code === code)?.name ?? code;
  }

  colourOf(code) {
    return this.desk.cards.find((card) => card.code === code)?.colour || "#4b5563";
  }

  paint() {
    this.now?.paint();
  }
}
