"""Contact sheets: pictures in rows and columns with their names, as JPEG."""
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")


def font(size):
    for path in FONTS:
        try:
            return ImageFont.truetype(path, size)
        except OSError:
            continue
    return ImageFont.load_default()


def sheet(pictures, cell, rows=None, columns=None):
    """pictures: (row, column) -> u8 [h, w, 3]; order of rows and columns: as given, or as they come. Missing ones stay dark."""
    rows, columns = rows or list(dict.fromkeys(r for r, _ in pictures)), columns or list(dict.fromkeys(c for _, c in pictures))
    w, h = cell
    ink, head = font(max(11, h // 9)), max(16, h // 6)
    left = 8 + int(max(ink.getlength(str(r)) for r in rows)) if hasattr(ink, "getlength") else 120
    image = Image.new("RGB", (left + w * len(columns), head + h * len(rows)), (24, 24, 24))
    draw = ImageDraw.Draw(image)
    for k, c in enumerate(columns):
        draw.text((left + k * w + 4, 2), str(c), fill=(230, 230, 230), font=ink)
    for i, r in enumerate(rows):
        draw.text((4, head + i * h + h // 2 - 8), str(r), fill=(230, 230, 230), font=ink)
        for k, c in enumerate(columns):
            if (r, c) in pictures:
                picture = Image.fromarray(np.ascontiguousarray(pictures[r, c]))
                fill = max(w / picture.width, h / picture.height)
                size = max(w, round(picture.width * fill)), max(h, round(picture.height * fill))
                picture = picture.resize(size, Image.LANCZOS).crop(((size[0] - w) // 2, (size[1] - h) // 2, (size[0] - w) // 2 + w, (size[1] - h) // 2 + h))
                image.paste(picture, (left + k * w, head + i * h))
    return image


def save(image, path, limit=None):
    """limit: bytes; quality is lowered until the file fits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in (90, 84, 78, 70, 62, 54, 45, 35):
        image.save(path, quality=quality, optimize=True)
        if not limit or path.stat().st_size <= limit:
            return
    raise ValueError(f"{path} does not fit in {limit} bytes.")
