/**
 * The jitter of the first attempts is the same in Blender and in the page: it comes from the user's
 * name and the number of attempts made, which both know (host/core/src/entropy.rs does the
 * same). So both begin the countdown at the same time, while different users are spread as before.
 */

const MASK = (1n << 64n) - 1n;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n;

/** 64 bits, evenly spread over users and attempts: FNV-1a, mixed by SplitMix64. */
export function sharedEntropy(username: string, attempts: number): bigint {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(username)) {
    hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK;
  }
  let mixed = (hash + (BigInt(attempts) + 1n) * GOLDEN_GAMMA) & MASK;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return mixed ^ (mixed >> 31n);
}

/** 64 random bits. */
export function randomEntropy(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
}
