import { expect, it } from "vitest";
import { type Steps, Turns } from "../src/turns.js";

function* asks(done: string[], name: string, answer: Promise<string>): Steps<string> {
  done.push(`${name} begins`);
  done.push(`${name} has ${yield answer}`);
}

it("what waits for nobody is done at once", () => {
  const done: string[] = [];
  new Turns<string>().take(() => void done.push("done"));
  expect(done).toEqual(["done"]);
});

it("what comes while one waits is done after it, in its order", async () => {
  const turns = new Turns<string>();
  const done: string[] = [];
  let give = (_: string): void => {};
  turns.take(() => asks(done, "one", new Promise((resolve) => (give = resolve))));
  turns.take(() => asks(done, "two", Promise.resolve("b")));
  turns.take(() => void done.push("three"));
  await settled();
  expect(done).toEqual(["one begins"]);
  give("a");
  await settled();
  expect(done).toEqual(["one begins", "one has a", "two begins", "two has b", "three"]);
});

it("one that fails does not hold up the others; what is cleared is not done", async () => {
  const turns = new Turns<string>();
  const done: string[] = [];
  function* catches(): Steps<string> {
    try {
      yield Promise.reject(new Error("no"));
    } catch {
      done.push("caught");
    }
  }
  turns.take(catches);
  turns.take(() => void done.push("next"));
  await settled();
  expect(done).toEqual(["caught", "next"]);
  turns.take(catches);
  turns.take(() => void done.push("never"));
  turns.clear();
  await settled();
  expect(done).toEqual(["caught", "next", "caught"]);
});

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
