/** The time as the service has it, ticking once a second while somebody looks. */
import { onBeat } from '../lib/beat';

let offset = 0;
let current = $state(Date.now());

/** UTC ms on the clock of the service; times in its answers compare with this. */
export function now(): number {
  return current;
}

/** Sets the clock by an answer of the service that just arrived. */
export function setClock(time: string): void {
  const theirs = Date.parse(time);
  if (Number.isNaN(theirs)) return;
  // Below a second it is the network, not the clock.
  const difference = theirs - Date.now();
  offset = Math.abs(difference) < 1500 ? 0 : difference;
  current = Date.now() + offset;
}

/** How far this machine's clock is behind the service's, in ms; negative = ahead. */
export function clockOffset(): number {
  return offset;
}

export function startClock(): () => void {
  const tick = () => {
    if (!document.hidden) current = Date.now() + offset;
  };
  const stop = onBeat(tick);
  document.addEventListener('visibilitychange', tick);
  return () => {
    stop();
    document.removeEventListener('visibilitychange', tick);
  };
}
