/** Why a policy was not taken. */
export class PolicyRefused extends Error {
  override name = "PolicyRefused";
}
