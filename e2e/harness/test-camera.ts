// A camera that a test can plug and unplug: warm colours on the left, cold ones on the right, a bar that moves.
import type { Page } from "playwright-core";

type CameraWindow = { testCamera: { track: MediaStreamTrack | undefined; isPlugged: boolean } };

/** Puts it in the place of the browser's cameras. To be called before the page is opened. */
export async function useTestCamera(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const camera: CameraWindow["testCamera"] = { track: undefined, isPlugged: true };
    (window as unknown as CameraWindow).testCamera = camera;
    const deviceId = "test camera";
    const open = (): MediaStream => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 576, height: 320 });
      const context = canvas.getContext("2d");
      let x = 0;
      const draw = () => {
        if (context === null) return;
        context.fillStyle = "#d9601a";
        context.fillRect(0, 0, 288, 320);
        context.fillStyle = "#1a4fd9";
        context.fillRect(288, 0, 288, 320);
        context.fillStyle = "#f0f0f0";
        x = (x + 6) % 576;
        context.fillRect(x, 40, 60, 240);
      };
      draw();
      setInterval(draw, 33);
      const stream = canvas.captureStream(30);
      const [track] = stream.getVideoTracks();
      if (track === undefined) throw new DOMException("no track", "NotReadableError");
      track.getSettings = () => ({ deviceId, width: 576, height: 320 });
      camera.track = track;
      return stream;
    };
    Object.assign(navigator.mediaDevices, {
      getUserMedia: async () => {
        if (!camera.isPlugged) throw new DOMException("no camera", "NotFoundError");
        return open();
      },
      enumerateDevices: async () =>
        camera.isPlugged ? [{ kind: "videoinput", deviceId, label: "Test camera", groupId: "" }] : [],
    });
  });
}

/** Pulls the plug, as a browser tells it: the track ends, the list is shorter, the page is told. Or puts it back. */
export async function plugCamera(page: Page, isPlugged: boolean): Promise<void> {
  await page.evaluate((plugged) => {
    const { testCamera } = window as unknown as CameraWindow;
    testCamera.isPlugged = plugged;
    if (!plugged) {
      testCamera.track?.stop();
      testCamera.track?.dispatchEvent(new Event("ended"));
    }
    navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
  }, isPlugged);
}
