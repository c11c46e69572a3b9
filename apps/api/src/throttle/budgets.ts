/** So much in so long. */
export interface Limit {
  /** At least 1. */
  max: number;
  windowMs: number;
}

export interface Taking {
  /** False when nothing was left; nothing is counted then. */
  isTaken: boolean;
  /** What is used of the budget, with this one. One more than there is when nothing was left. */
  used: number;
  /** Milliseconds until the whole budget is there again. More than 0. */
  leftMs: number;
}

/**
 * Budgets by name, each for a window of time that begins with the first taking (a fixed window). A name says all that
 * it is for: two uses of one name are one budget.
 */
export interface Budgets {
  /** Takes one. Many at once get no more than many in turn. */
  take(name: string, limit: Limit): Promise<Taking>;
  /** Puts one back that was taken. Does nothing once the window is over. */
  giveBack(name: string): Promise<void>;
}
