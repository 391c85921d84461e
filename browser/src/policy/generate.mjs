/** How a policy is transpiled, at build time and in the page alike: one instance for each call. */
export const GENERATE = {
  name: "policy",
  instantiation: { tag: /** @type {const} */ ("sync") },
  noNodejsCompat: true,
};
