/** Names of the two ways in which the model's pipeline can behave; docs/compat.md tells them apart. */
import { z } from "zod";

/**
 * - `everframe`: with all repairs, for users.
 * - `original`: as the published pipeline does it, faults included, for comparison.
 */
export const compatName = z.enum(["original", "everframe"]);

export type CompatName = z.output<typeof compatName>;
