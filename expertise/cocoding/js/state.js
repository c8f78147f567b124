// What stands after a coder's own acts, the unsent ones included.

const KINDS = {
  open: "opened", apply: "applied", remove: "removed", doubt: "doubted", skip: "skipped",
  return: "returned", finish: "finished", undo: "undone", memo: "memo", approve: "approved",
};
const WORK = new Set(["opened", "skipped", "returned", "finished"]);

export function pending(message) {
  return { ...message, uuid: message.id, kind: KINDS[message.kind] ?? message.kind };
}

export function fold(acts) {
  const undone = new Set();
  for (let i = acts.length - 1; i >= 0; i -= 1) {
    if (acts[i].kind === "undone" && !undone.has(acts[i].uuid)) undone.add(acts[i].target);
  }
  const codings = new Map();
  const work = new Map();
  const live = [];
  for (const act of acts) {
    if (undone.has(act.uuid)) continue;
    live.push(act);
    if (act.kind === "applied") codings.set(act.uuid, { ...act, doubted: false });
    else if (act.kind === "removed") codings.delete(act.target);
    else if (act.kind === "doubted") {
      if (codings.has(act.target)) codings.get(act.target).doubted = true;
    } else if (act.kind === "recoded") recode(codings, act);
    else if (act.kind === "withdrawn" || act.kind === "returned") {
      for (const [uuid, coding] of codings) if (coding.document === act.document) codings.delete(uuid);
    }
    if (WORK.has(act.kind) && (act.kind !== "opened" || !work.has(act.document))) work.set(act.document, act.kind);
  }
  return { codings, work, live };
}

function recode(codings, act) {
  for (const coding of codings.values()) {
    if (act.target ? coding.uuid === act.target : coding.code === act.code) coding.code = act.value;
  }
}

const UNDOABLE = new Set(["applied", "removed", "doubted"]);

export function lastToUndo(live, document) {
  const of = new Map(live.filter((act) => act.kind === "applied").map((act) => [act.uuid, act.document]));
  return live.findLast((act) => UNDOABLE.has(act.kind) && (act.document || of.get(act.target)) === document) ?? null;
}
