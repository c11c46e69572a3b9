/**
 * For `node --import`: the wall clock of the process is off by CLOCK_SHIFT_MS, as on a machine whose clock nobody
 * sets. Timers and `performance.now()` go on as they are: they measure, they do not tell the time.
 */
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = Date;
const now = (): number => RealDate.now() + shiftMs;

globalThis.Date = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, given, asked) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, asked),
  apply: () => new RealDate(now()).toString(),
});
