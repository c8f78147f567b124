// Carries messages to the host and answers back; keeps what could not be sent yet.

const LATER = [1000, 2000, 5000, 10000, 30000]; // ms until the next try

export class Unreachable extends Error {}

export function wire(model, patience = 15000) {
  const waiting = new Map();
  const hear = (heard) => {
    waiting.get(heard.re)?.(heard);
    waiting.delete(heard.re);
  };
  model.on("msg:custom", hear);
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        const giveUp = setTimeout(() => hear({ re: message.id, failed: true }), patience);
        waiting.set(message.id, (heard) => {
          clearTimeout(giveUp);
          if (heard.failed) reject(new Unreachable(heard.signed_out ? "signed_out" : "offline"));
          else resolve(heard.answer);
        });
        model.send(message);
      }),
    close: () => model.off("msg:custom", hear),
  };
}

// Messages in order, one at a time; each has a UUID, so sending it twice does it once.
export class Queue {
  constructor({ ask, keep, changed, answered }) {
    Object.assign(this, { ask, keep, changed, answered, tries: 0, failed: "", running: null });
    this.here = []; // acts that wait, oldest first
    this.read();
    this.wake = () => this.pump();
    globalThis.addEventListener?.("online", this.wake);
  }

  get name() {
    return `expertise:${this.keep}:queue`;
  }

  read() {
    if (!this.keep) return;
    const kept = JSON.parse(localStorage.getItem(this.name) ?? "[]");
    const known = new Set(this.here.map((one) => one.id));
    this.here.push(...kept.filter((one) => !known.has(one.id)));
  }

  // Another tab of the same person may have added its own: only touch what is ours.
  write(add, remove) {
    if (!this.keep) return;
    const kept = JSON.parse(localStorage.getItem(this.name) ?? "[]").filter((one) => one.id !== remove);
    if (add) kept.push(add);
    if (kept.length) localStorage.setItem(this.name, JSON.stringify(kept));
    else localStorage.removeItem(this.name);
  }

  push(message) {
    this.here.push(message);
    this.write(message, null);
    this.changed();
    return this.pump();
  }

  // Resolves when nothing waits any more, or when the host cannot be reached.
  pump() {
    this.running ??= this.send().finally(() => {
      this.running = null;
      this.changed();
    });
    return this.running;
  }

  async send() {
    clearTimeout(this.timer);
    while (this.here.length) {
      const message = this.here[0];
      let answer;
      try {
        answer = await this.ask(message);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        this.failed = error.message;
        this.timer = setTimeout(this.wake, LATER[Math.min(this.tries, LATER.length - 1)]);
        this.tries += 1;
        return;
      }
      this.here.shift();
      this.write(null, message.id);
      this.tries = 0;
      this.failed = "";
      this.answered(message, answer);
    }
  }

  close() {
    clearTimeout(this.timer);
    globalThis.removeEventListener?.("online", this.wake);
  }
}
