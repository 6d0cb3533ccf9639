import colorsys
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw


def draw_cone(number):
    """A small PNG of an ice-cream cone, in a colour of its own."""
    image = Image.new("RGBA", (96, 128))
    draw = ImageDraw.Draw(image)
    draw.polygon([(22, 60), (74, 60), (48, 124)], fill="#d9a066")
    for box, lightness in (((16, 28, 80, 76), 0.62), ((24, 4, 72, 48), 0.76)):
        draw.ellipse(box, fill=colour(number, lightness))
    content = BytesIO()
    image.save(content, "PNG")
    return ContentFile(content.getvalue())


def colour(number, lightness):
    # Steps of the golden ratio keep neighbours apart on the colour wheel.
    rgb = colorsys.hls_to_rgb(number * 0.618 % 1, lightness, 0.6)
    return tuple(round(part * 255) for part in rgb)
