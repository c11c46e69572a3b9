/**
 * Lets work that arrives while a commit is under way share the next one.
 *
 * There is no timer: a lone item is committed at once, and the busier it gets the larger the batches become
 * (docs/adr/0005-group-commit.md).
 */
export class GroupCommit<Item, Result> {
  readonly #commit: (batch: readonly Item[]) => Promise<readonly Result[]>;
  readonly #isFaultOfOne: (error: unknown) => boolean;
  readonly #maxBatch: number;
  #waiting: { item: Item; settle: PromiseWithResolvers<Result> }[] = [];
  #isCommitting = false;

  /**
   * @param commit commits all items or none, and returns a result for each, in their order
   * @param isFaultOfOne whether an error may be the fault of a single item: then each is committed alone, so that
   *   a bad one never fails its neighbours
   */
  constructor(options: {
    commit: (batch: readonly Item[]) => Promise<readonly Result[]>;
    isFaultOfOne: (error: unknown) => boolean;
    maxBatch: number;
  }) {
    this.#commit = options.commit;
    this.#isFaultOfOne = options.isFaultOfOne;
    this.#maxBatch = options.maxBatch;
  }

  /** Resolves when the item is committed; rejects when it is not, or when nobody knows. */
  add(item: Item): Promise<Result> {
    const settle = Promise.withResolvers<Result>();
    this.#waiting.push({ item, settle });
    if (!this.#isCommitting) void this.#run();
    return settle.promise;
  }

  async #run(): Promise<void> {
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      await this.#flush(this.#waiting.splice(0, this.#maxBatch));
    }
    this.#isCommitting = false;
  }

  async #flush(group: { item: Item; settle: PromiseWithResolvers<Result> }[]): Promise<void> {
    try {
      const results = await this.#commit(group.map(({ item }) => item));
      if (results.length !== group.length)
        throw new Error('a commit answers for each of its items');
      results.forEach((result, index) => {
        group[index]?.settle.resolve(result);
      });
    } catch (error) {
      if (group.length === 1 || !this.#isFaultOfOne(error)) {
        for (const { settle } of group) settle.reject(error);
        return;
      }
      for (const one of group) await this.#flush([one]);
    }
  }
}
