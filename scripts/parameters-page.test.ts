import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PAGE, parametersPage } from "./parameters-page.ts";

test("[DOC5] the page of parameters is the one that its script writes", () => {
  expect(readFileSync(PAGE, "utf8"), "run: node scripts/run.mjs scripts/parameters-page.ts").toBe(parametersPage());
});
