import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PAGE, sdkFaults, sdkPage } from "./sdk-page.ts";

test("every option of the SDK says what it does and its default, every member what it is", () => {
  expect(sdkFaults()).toEqual([]);
});

test("the reference of the SDK is the one that its script writes", () => {
  expect(readFileSync(PAGE, "utf8"), "run: node scripts/run.mjs scripts/sdk-page.ts").toBe(sdkPage());
});
