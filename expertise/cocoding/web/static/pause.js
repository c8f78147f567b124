// Pauze on a page that the server drew: its texts go out of sight, the number to call comes.

const panel = document.getElementById("pause");
const rest = [...panel.parentElement.children].filter((one) => one !== panel);
let before = null;

function turn(paused) {
  if (panel.hidden !== paused) return;
  if (paused) before = document.activeElement;
  panel.hidden = !paused;
  for (const one of rest) one.hidden = paused;
  (paused ? panel.querySelector("h1") : before).focus();
}

document.querySelector(".cc-pause-button").addEventListener("click", () => turn(true));
panel.querySelector("button").addEventListener("click", () => turn(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && turn(true));
