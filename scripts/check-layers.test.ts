import { expect, test } from "vitest";
import { findFaults } from "./check-layers.ts";

test("an import along the arrows is fine", () => {
  expect(
    findFaults("packages/server/src/a.ts", 'import { x } from "@everframe/longlive";\nimport { y } from "./b.ts";'),
  ).toEqual([]);
  expect(findFaults("packages/client/src/a.ts", 'import type { P } from "@everframe/protocol";')).toEqual([]);
});

test("an import against the arrows is named", () => {
  expect(findFaults("packages/graph/src/a.ts", 'import { x } from "@everframe/longlive";')).toEqual([
    "packages/graph/src/a.ts: packages/graph may not import @everframe/longlive",
  ]);
  expect(findFaults("apps/studio/src/a.tsx", 'const s = await import("@everframe/server");')).toHaveLength(1);
  expect(findFaults("packages/longlive/src/a.ts", 'export * from "@everframe/server";')).toHaveLength(1);
});

test("a value import of protocol in the client is a fault", () => {
  expect(findFaults("packages/client/src/a.ts", 'import { parse } from "@everframe/protocol";')).toEqual([
    "packages/client/src/a.ts: packages/client may import only types from @everframe/protocol",
  ]);
  expect(findFaults("packages/client/src/a.test.ts", 'import { parse } from "@everframe/protocol";')).toEqual([]);
});

test("a path out of its own package is a fault, also when it names several values on several lines", () => {
  expect(findFaults("packages/graph/src/a.ts", 'import {\n  a,\n  b,\n} from "../../longlive/src/index.ts";')).toEqual([
    "packages/graph/src/a.ts: ../../longlive/src/index.ts leaves packages/graph",
  ]);
});

test("a file inside another package is not a door into it", () => {
  expect(findFaults("packages/longlive/src/a.ts", 'import { x } from "@everframe/graph/src/session.ts";')).toHaveLength(
    1,
  );
});
