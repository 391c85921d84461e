/** What somebody does; where it waits for an answer, it yields the promise of one. */
export type Steps<Answer> = Generator<Promise<Answer>, void, Answer>;

/**
 * One thing after another. What waits for nobody is done at once; while one thing waits for an answer,
 * those that come are kept, in their order.
 */
export class Turns<Answer> {
  readonly #next: (() => Steps<Answer> | void)[] = [];
  #waits = false;

  take(turn: () => Steps<Answer> | void): void {
    if (this.#waits) {
      this.#next.push(turn);
      return;
    }
    const steps = turn();
    if (steps !== undefined) {
      this.#go(steps, () => steps.next());
    }
  }

  /** Nothing of what was kept is done. */
  clear(): void {
    this.#next.length = 0;
  }

  #go(steps: Steps<Answer>, on: () => IteratorResult<Promise<Answer>, void>): void {
    const { done, value } = on();
    if (done) {
      return;
    }
    this.#waits = true;
    void value.then(
      (answer) => this.#resume(steps, () => steps.next(answer)),
      (error: unknown) => this.#resume(steps, () => steps.throw(error)),
    );
  }

  #resume(steps: Steps<Answer>, on: () => IteratorResult<Promise<Answer>, void>): void {
    this.#waits = false;
    try {
      this.#go(steps, on);
    } finally {
      this.#rest();
    }
  }

  #rest(): void {
    const turn = this.#waits ? undefined : this.#next.shift();
    if (turn !== undefined) {
      try {
        this.take(turn);
      } finally {
        this.#rest();
      }
    }
  }
}
