// Asks a run's saved moment to decode codes or encode items, past Python.
import { appBase } from "./dom.js";
import { decodeSafetensors } from "./frames.js";

export class Model {
  // `about` is a source as Python tells it: {run, step, token}.
  set(about) {
    this.about = about;
  }

  decode(codes) {
    return this.ask({ do: "decode", codes }, "items");
  }

  // Items as frames hold them: images as rows of 0..255.
  encode(items) {
    return this.ask({ do: "encode", items }, "codes");
  }

  async ask(wish, wanted) {
    const { run, step, token } = this.about;
    const url = new URL(`playground/model/${encodeURIComponent(run)}`, appBase());
    url.searchParams.set("token", token);
    let answer;
    try {
      answer = await fetch(url, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ step: step ?? null, ...wish }),
      });
    } catch {
      throw new Error("The server cannot be reached: try again in a moment.");
    }
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw new Error(told.error || `The model did not answer (${answer.status}).`);
    }
    return decodeSafetensors(await answer.arrayBuffer()).arrays[wanted];
  }
}

// Works on the newest wish only: while one is under way, a later one displaces an earlier one that waits.
export class Newest {
  constructor(work, done, failed) {
    Object.assign(this, { work, done, failed });
    this.busy = false;
    this.next = null;
  }

  put(wish) {
    this.next = { wish };
    if (!this.busy) this.go();
  }

  // Forget what waits and what comes back.
  drop() {
    this.next = null;
    this.turn = null;
  }

  async go() {
    this.busy = true;
    while (this.next) {
      const { wish } = this.next;
      this.next = null;
      const turn = (this.turn = {});
      try {
        const answer = await this.work(wish);
        if (this.turn === turn) this.done(answer, wish);
      } catch (error) {
        if (this.turn === turn) this.failed?.(error, wish);
      }
    }
    this.busy = false;
  }
}

// What Python gave a component: a frame blob as bytes -> {meta, arrays}.
export function given(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  return decodeSafetensors(bytes.slice().buffer);
}

// Python sends its data anew with every rerun; what is the same must not start again.
export function equal(a, b) {
  if (a === b) return true;
  return Boolean(a && b) && a.length === b.length && a.every((v, k) => v === b[k]);
}
