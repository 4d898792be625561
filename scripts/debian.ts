// Installs packages that tests need, where it may: as root on Debian.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** @returns false where this is not root on Debian; what apt says of a failure is printed. */
export function installDebian(name: string): boolean {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID(_LIKE)?=.*debian/m.test(release) || process.getuid?.() !== 0) return false;
  console.log(`Installing Debian's ${name} package.`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit", env });
  const { status } = spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], {
    stdio: ["ignore", "ignore", "inherit"],
    env,
  });
  return status === 0;
}
