import type { Decision, Moment, State } from "./contract.js";
import type { Guard } from "./guard.js";
import type { Call, Policy } from "./policy/policy.js";

/** A policy that has failed this often is set aside until the next swap. */
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
export class Judge {
  #current: Policy;
  #origin = "built-in";
  #failures = 0;
  #lastFailure: string | undefined;

  constructor(
    private readonly builtIn: Policy,
    private readonly complain: (message: string) => void,
  ) {
    this.#current = builtIn;
  }

  /** Another policy decides from now on, with a clean record. */
  swap(policy: Policy, origin: string): void {
    this.#current = policy;
    this.#origin = origin;
    this.#failures = 0;
    this.#lastFailure = undefined;
  }

  revert(): void {
    this.swap(this.builtIn, "built-in");
  }

  /** undefined: not even the built-in policy decided; nothing changes. */
  decide(guard: Guard, call: Call, state: State, moment: Moment): Decision | undefined {
    if (this.#failures < FAILURES) {
      try {
        return ask(this.#current, guard, call, state, moment);
      } catch (error) {
        this.#failures += 1;
        this.#lastFailure = `${call.name}: ${reason(error)}`;
        const next = this.#failures >= FAILURES ? "it is set aside" : "the built-in policy decides instead, this time";
        this.complain(`Policy ${this.#current.description.name} failed in ${this.#lastFailure}; ${next}`);
      }
    }
    try {
      return ask(this.builtIn, guard, call, state, moment);
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

function ask(policy: Policy, guard: Guard, call: Call, state: State, moment: Moment): Decision {
  const decision = policy.decide(call, state, moment);
  guard.check(state.phase, call, moment, decision);
  return decision;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
