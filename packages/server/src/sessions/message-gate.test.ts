import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { MessageGate } from "./message-gate.ts";

function gate() {
  const clock = new VirtualClock();
  const read: string[] = [];
  const floods: number[] = [];
  const made = new MessageGate({
    clock,
    onMessage: (text) => read.push(text),
    onFlood: () => floods.push(clock.now()),
  });
  return { clock, read, floods, gate: made };
}

describe("MessageGate", () => {
  it("reads a fast slider's every message at once", () => {
    const { clock, read, floods, gate: made } = gate();
    for (let i = 0; i < 1000; i++) {
      made.push(`${i}`);
      clock.advance(5);
      expect(read.length).toBe(i + 1);
    }
    expect(floods).toEqual([]);
  });

  it("[PAR15] leaves out a flood's middle, reads its last message within a second, and tells of it once a second", () => {
    const { clock, read, floods, gate: made } = gate();
    for (let i = 0; i < 30_000; i++) {
      made.push(`${i}`);
      clock.advance(0.1);
    }
    clock.advance(1000);
    expect(read.length).toBeLessThan(1000);
    expect(read.at(-1)).toBe("29999");
    expect(read.map(Number)).toEqual(read.map(Number).toSorted((a, b) => a - b));
    expect(floods.length).toBe(3);
  });

  it("[PAR15] reads few of a flood that goes on, and all again once it is over", () => {
    const { clock, read, gate: made } = gate();
    const send = (count: number) => {
      const before = read.length;
      for (let i = 0; i < count; i++) {
        made.push(`${i}`);
        clock.advance(1000 / count);
      }
      return read.length - before;
    };
    expect(send(1000)).toBeGreaterThan(200);
    expect(send(1000)).toBeLessThan(30);
    expect(send(1000)).toBeLessThan(30);
    clock.advance(1000);
    expect(send(200)).toBe(200);
  });

  it("counts what messages weigh", () => {
    const { clock, read, floods, gate: made } = gate();
    for (let i = 0; i < 20; i++) made.push(`${i}`.padEnd(200_000));
    expect(read.length).toBe(5);
    expect(floods).toEqual([0]);
    clock.advance(1000);
    expect(read.at(-1)).toMatch(/^19 /);
  });

  it("reads nothing any more once it is closed", () => {
    const { clock, read, gate: made } = gate();
    for (let i = 0; i < 500; i++) made.push("x");
    const count = read.length;
    made.close();
    clock.advance(5000);
    expect(read.length).toBe(count);
  });
});
