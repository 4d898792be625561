// Where a session's time goes, by operator, from the engine's own profile.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatTable } from "../table.ts";

type Event = { cat: string; name: string; dur: number; args?: { op_name?: string; output_type_shape?: unknown } };

/** @param folder with one file profile*.json */
export function printProfile(title: string, folder: string): void {
  const file = readdirSync(folder).find((name) => name.startsWith("profile") && name.endsWith(".json"));
  if (file === undefined) throw new Error("The engine wrote no profile.");
  const events = JSON.parse(readFileSync(join(folder, file), "utf8")) as Event[];
  const nodes = events.filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"));
  const perRun = new Map<string, { ms: number; count: number }>();
  const passes = events.filter(({ name }) => name === "model_run").length;
  for (const { dur, args } of nodes) {
    const key = `${args?.op_name} ${JSON.stringify(args?.output_type_shape)}`;
    const sum = perRun.get(key) ?? { ms: 0, count: 0 };
    perRun.set(key, { ms: sum.ms + dur / 1000 / passes, count: sum.count + 1 / passes });
  }
  const total = [...perRun.values()].reduce((sum, { ms }) => sum + ms, 0);
  const rows = [...perRun]
    .sort(([, a], [, b]) => b.ms - a.ms)
    .slice(0, 24)
    .map(([operator, { ms, count }]) => ({ operator, count, ms, "share %": (100 * ms) / total }));
  console.log(`\n${title}: ${total.toFixed(1)} ms a pass, mean of ${passes}\n\n${formatTable(rows)}`);
}
