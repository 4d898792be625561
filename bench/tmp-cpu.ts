import { execSync } from "node:child_process";
import { benchStream } from "./stream.ts";

const cpu = () =>
  Object.fromEntries(
    execSync("ps -eo pid,cputimes,args --no-headers")
      .toString()
      .split("\n")
      .filter((l) => /chromium|everframe.mjs|tmp-cpu/.test(l) && !/ps -eo|\/tmp\/wt6/.test(l))
      .map((l) => {
        const m = l.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/)!;
        return [
          m[1]!,
          [Number(m[2]), m[3]!.match(/--type=\S+( --utility-sub-type=\S+)?/)?.[0] ?? m[3]!.slice(0, 60)] as const,
        ];
      }),
  );
const timer = setTimeout(() => {
  const a = cpu();
  setTimeout(() => {
    const b = cpu();
    for (const [pid, [t, name]] of Object.entries(b))
      if (t - (a[pid]?.[0] ?? 0) > 0) console.log(pid, t - (a[pid]?.[0] ?? 0), "s of 15", name);
  }, 15000);
}, 16000);
console.log(await benchStream({ name: "576 Normal", width: 576, height: 320, vace: process.argv[2] === "vace" }, 24));
clearTimeout(timer);
process.exit(0);
