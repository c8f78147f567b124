// The front end: any host that gives it a model and an element shows the same page.

import { App } from "./app.js";

export function render({ model, el }) {
  const app = new App(model, el);
  app.start();
  return () => app.stop();
}
