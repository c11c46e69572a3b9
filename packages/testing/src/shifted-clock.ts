/** What a process is started with so that its clock is off by so many milliseconds; negative is behind. */
export function shiftedClock(shiftMs: number): NodeJS.ProcessEnv {
  const shift = new URL('./shift-clock.ts', import.meta.url);
  return { NODE_OPTIONS: `--import=${shift.href}`, CLOCK_SHIFT_MS: `${shiftMs}` };
}
