// The web page as a host: the same model methods that JupyterLab gives, over HTTP.

import { render } from "./render.js";

const given = await (await fetch("/start")).json();
const heard = new Set();
const emit = (message) => heard.forEach((tell) => tell(message));
const post = (path, body) => fetch(path, {
  method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRF": given.csrf },
});

const model = {
  get: (name) => given[name],
  on: (kind, tell) => kind === "msg:custom" && heard.add(tell),
  off: (kind, tell) => heard.delete(tell),
  async send(message) {
    try {
      const answer = await post("/message", message);
      if (answer.status === 401) emit({ re: message.id, failed: true, signed_out: true });
      else if ([200, 409, 422].includes(answer.status)) emit({ re: message.id, answer: await answer.json() });
      else emit({ re: message.id, failed: true });
    } catch {
      emit({ re: message.id, failed: true });
    }
  },
  fourWords: async () => (await (await post("/four-words", {})).json()).words,
  leave: () => post("/leave", {}),
};

render({ model, el: document.getElementById("work") });
