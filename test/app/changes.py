"""What the tests do to rows."""

from test.app.models import Whatever


class Undone(Exception):
    """Makes a block roll back."""


def change(row, slug="a"):
    """Save ``row`` with another slug, or just once more."""
    row.slug = slug
    row.save()


def rename(slug):
    """Rename every row behind dumper's back."""
    return Whatever.objects.update(slug=slug)
