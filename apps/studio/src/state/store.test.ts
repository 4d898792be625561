import { expect, test } from "vitest";
import { Store } from "./store.ts";

test("listeners hear of a change, not of a value set again", () => {
  const store = new Store({ count: 0, name: "a" });
  let heard = 0;
  store.subscribe(() => heard++);
  store.update({ count: 0 });
  store.update({ count: 1 });
  expect(heard).toBe(1);
});

test("a watched part is told with what it was before, and others' changes are not", () => {
  const store = new Store({ count: 0, name: "a" });
  const changes: [number, number][] = [];
  const stop = store.watch(
    ({ count }) => count,
    (now, before) => changes.push([now, before]),
  );
  store.update({ name: "b" });
  store.update({ count: 2 });
  stop();
  store.update({ count: 3 });
  expect(changes).toEqual([[2, 0]]);
});
