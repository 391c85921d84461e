import type { Decision, Moment, State } from "./contract.js";
import type { Guard } from "./guard.js";
import type { Call, Later, LocalPolicy, Policy } from "./policy/policy.js";

/** A policy that has failed this often is disabled until the next swap. */
const FAILURES = 3;

/** Who decides now. */
export interface PolicyStatus {
  name: string;
  version: string;
  about: string;
  sha256: string;
  /** `built-in`, or a URL without what follows its `?`. */
  origin: string;
  failures: number;
  setAside: boolean;
  lastFailure: string | undefined;
}

/** Who decides: the current policy, under the guard, with the built-in one to fall back on. */
export class Judging {
  #current: Policy;
  #origin = "built-in";
  #failures = 0;
  #lastFailure: string | undefined;

  constructor(
    private readonly builtIn: LocalPolicy,
    private readonly complain: (message: string) => void,
  ) {
    this.#current = builtIn;
  }

  /** Another policy decides from now on, with a clean record. */
  swap(policy: Policy, origin: string): void {
    const before = this.#current;
    this.#current = policy;
    this.#origin = origin;
    this.#failures = 0;
    this.#lastFailure = undefined;
    before.end?.();
  }

  revert(): void {
    this.swap(this.builtIn, "built-in");
  }

  /** undefined: not even the built-in policy decided; nothing changes. At once, if the policy answers at once. */
  decide(guard: Guard, call: Call, state: State, moment: Moment): Later<Decision | undefined> {
    if (this.#failures >= FAILURES) {
      return this.#fallBack(guard, call, state, moment);
    }
    const policy = this.#current;
    const taken = (decision: Decision): Decision => {
      guard.check(state.phase, call, moment, decision);
      return decision;
    };
    const rejected = (error: unknown): Later<Decision | undefined> => {
      if (policy !== this.#current) {
        // It was ended, as another one was swapped in.
        return this.decide(guard, call, state, moment);
      }
      this.#failed(call, error);
      return this.#fallBack(guard, call, state, moment);
    };
    try {
      const answer = policy.decide(call, state, moment);
      return answer instanceof Promise ? answer.then(taken).catch(rejected) : taken(answer);
    } catch (error) {
      return rejected(error);
    }
  }

  #failed(call: Call, error: unknown): void {
    this.#failures += 1;
    this.#lastFailure = `${call.name}: ${reason(error)}`;
    const disabled = this.#failures >= FAILURES;
    if (disabled) {
      this.#current.end?.();
    }
    const next = disabled ? "it is set aside" : "the built-in policy decides instead, this time";
    this.complain(`Policy ${this.#current.description.name} failed in ${this.#lastFailure}; ${next}`);
  }

  #fallBack(guard: Guard, call: Call, state: State, moment: Moment): Decision | undefined {
    try {
      const decision = this.builtIn.decide(call, state, moment);
      guard.check(state.phase, call, moment, decision);
      return decision;
    } catch (error) {
      this.complain(`The built-in policy failed too: ${reason(error)}`);
      return undefined;
    }
  }

  status(): PolicyStatus {
    return {
      ...this.#current.description,
      sha256: this.#current.sha256,
      origin: this.#origin,
      failures: this.#failures,
      setAside: this.#failures >= FAILURES,
      lastFailure: this.#lastFailure,
    };
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
