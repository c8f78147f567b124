// How the page looks and sounds on this device; nothing here says what someone reads.

import { button, h } from "./dom.js";

const NAME = "expertise:look";
const USUAL = { large: false, theme: "auto", muted: false, single: true };

export class Look {
  constructor(root) {
    this.root = root;
    this.chosen = { ...USUAL };
    try {
      Object.assign(this.chosen, JSON.parse(localStorage.getItem(NAME) ?? "{}"));
    } catch { /* a browser that keeps nothing still works */ }
    this.apply();
  }

  set(name, value) {
    this.chosen[name] = value;
    try {
      localStorage.setItem(NAME, JSON.stringify(this.chosen));
    } catch { /* as above */ }
    this.apply();
  }

  apply() {
    this.root.dataset.theme = this.chosen.theme;
    this.root.dataset.large = this.chosen.large;
  }

  menu(words, extra) {
    const tick = (key, name, turned = false) => h("label", { class: "cc-choice" },
      h("input", { type: "checkbox", checked: this.chosen[name] !== turned,
                   on: { change: (event) => this.set(name, event.target.checked !== turned) } }), words(key));
    const themes = h("select", { on: { change: (event) => this.set("theme", event.target.value) } },
      ...["auto", "light", "dark"].map((one) => h("option", { value: one, selected: this.chosen.theme === one }, words(`theme_${one}`))));
    return h("details", { class: "cc-menu" }, h("summary", {}, words("look")),
      h("div", { class: "cc-menu-box" }, tick("large", "large"), tick("show_saved", "muted", true), tick("single_keys", "single"),
        h("label", { class: "cc-choice" }, words("theme"), " ", themes), ...extra));
  }
}

// Reads aloud with voices of this device only: no text goes to anyone's server.
export function reader(words, lang) {
  const speech = globalThis.speechSynthesis;
  const voice = () => speech.getVoices().find((one) => one.localService && one.lang.toLowerCase().startsWith(lang));
  const read = (text, announce) => {
    speech.cancel();
    const chosen = voice();
    if (!chosen) return announce(words("no_voice"));
    const said = new SpeechSynthesisUtterance(text);
    said.voice = chosen;
    said.lang = chosen.lang;
    return speech.speak(said);
  };
  return { possible: Boolean(speech), read, stop: () => speech?.cancel() };
}

export function pausePanel({ words, contact, onBack }) {
  return h("section", { class: "cc-pause", "aria-labelledby": "cc-pause-title" },
    h("h1", { id: "cc-pause-title", tabindex: -1 }, words("pause_title")),
    h("p", {}, words("pause_text")),
    h("p", {}, words("pause_talk", contact)),
    h("p", {}, words("pause_113"), " ", h("a", { href: "tel:113" }, "113"), ` ${words("or_free")} `,
      h("a", { href: "tel:08000113" }, "0800-0113"), words("day_and_night")),
    button(words("pause_back"), onBack, { class: "cc-main" }));
}
