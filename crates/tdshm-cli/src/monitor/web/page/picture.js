// The image of a segment, on a canvas. Rows come top first.

export class Picture {
  constructor(stage, canvas, output) {
    this.stage = stage;
    this.canvas = canvas;
    this.output = output;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.frame = null;
    this.opaque = false;
    this.drawing = false;
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => (this.output.textContent = ""));
  }

  clear() {
    this.frame = null;
    this.canvas.width = 1;
    this.canvas.height = 1;
    this.output.textContent = "";
  }

  /** Draws a frame; `false` where its pixels cannot be shown. */
  async draw(frame) {
    if (frame.width === 0 || frame.height === 0) return false;
    let source;
    if (frame.encoding === "jpeg") {
      source = await createImageBitmap(new Blob([frame.bytes], { type: "image/jpeg" }));
    } else {
      const size = frame.width * frame.height * 4;
      if (frame.bytes.length < size) return false;
      const pixels = new Uint8ClampedArray(frame.bytes.buffer, frame.bytes.byteOffset, size);
      if (this.opaque) for (let index = 3; index < size; index += 4) pixels[index] = 255;
      source = new ImageData(pixels, frame.width, frame.height);
    }
    this.frame = frame;
    const { canvas } = this;
    if (canvas.width !== frame.width || canvas.height !== frame.height) {
      canvas.width = frame.width;
      canvas.height = frame.height;
    }
    if (source instanceof ImageData) this.context.putImageData(source, 0, 0);
    else {
      this.context.drawImage(source, 0, 0);
      source.close();
    }
    this.fit();
    return true;
  }

  /** Small images are shown larger, pixel by pixel. */
  fit() {
    const { frame, canvas, stage } = this;
    if (!frame) return;
    const full = stage.dataset.fit === "full";
    const ratio = frame.sourceHeight / frame.sourceWidth;
    const room = [stage.clientWidth, innerWidth <= 760 ? innerHeight * 0.7 : stage.clientHeight];
    let width = frame.sourceWidth / (full ? devicePixelRatio : 1);
    if (!full) width = Math.min(room[0], room[1] / ratio);
    canvas.style.width = `${Math.max(1, Math.floor(width))}px`;
    canvas.style.height = `${Math.max(1, Math.floor(width * ratio))}px`;
    stage.dataset.pixels = width > 3 * frame.sourceWidth ? "large" : "small";
  }

  point(event) {
    if (!this.frame) return;
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    if (x < 0 || y < 0 || x >= this.canvas.width || y >= this.canvas.height) return;
    const [r, g, b, a] = this.context.getImageData(x, y, 1, 1).data;
    const scale = this.frame.sourceWidth / this.frame.width;
    this.output.textContent = `${Math.floor(x * scale)}, ${Math.floor(y * scale)} from the top: ${r} ${g} ${b} ${a}`;
  }
}
