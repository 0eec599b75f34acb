/**
 * The beat of the pages, once a second: whatever moves by itself moves with it, so that one second costs
 * one picture, not one for the clock, one for the figures and one for the lines beside them.
 */

export const BEAT_MS = 1000;

const runs = new Set<(count: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let count = 0;

function beat(): void {
  count += 1;
  for (const run of runs) run(count);
}

/** Calls `run` with the number of each beat; the answer ends that. */
export function onBeat(run: (count: number) => void): () => void {
  runs.add(run);
  timer ??= setInterval(beat, BEAT_MS);
  return () => {
    runs.delete(run);
    if (runs.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
