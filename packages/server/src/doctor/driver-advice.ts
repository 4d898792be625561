/** What to do where the engine finds no GPU although there may be one. */
export function driverAdvice({ platform, arch }: { platform: string; arch: string }): string {
  if (platform === "linux" && arch !== "x64") return "The engine has no GPU support on this kind of Linux.";
  if (platform === "linux") {
    return "Install the GPU maker's driver with Vulkan and the Vulkan loader (libvulkan1), and see that this user may open /dev/dri.";
  }
  if (platform === "darwin")
    return "The engine reaches GPUs of Apple silicon only; on Intel Macs the processor computes.";
  return "Install the newest driver of the GPU's maker.";
}
