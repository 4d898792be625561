// `npm run fuzz`: random and mutated requests at every endpoint, and messages at a data channel.
// `-- --count N` (default 100 000) and `-- --seed S` (default another one each time).
import { parseArgs } from "node:util";
import { fuzz } from "../packages/server/src/testing/fuzz.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "100000" }, seed: { type: "string" } } });
const count = Number(values.count);
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
  throw new Error("count and seed are whole numbers");

console.log(`Seed ${seed}, ${count} requests and messages.`);
const start = performance.now();
const report = await fuzz(seed, count, (done) => process.stderr.write(`\r${done}`));
process.stderr.write("\n");
const seconds = Math.round((performance.now() - start) / 1000);
const statuses = Object.entries(report.statuses).map(([status, times]) => `${status}: ${times}`);
console.log(
  `${report.requests} requests, ${report.messages} messages in ${seconds} s. Answers: ${statuses.join(", ")}.`,
);
for (const fault of report.faults) console.error(`FAULT ${fault}`);
console.log(report.faults.length === 0 ? "No fault." : `${report.faults.length} faults.`);
process.exit(report.faults.length === 0 ? 0 : 1);
