"""``{% load dumper %}{% depends_on flavour "menu" %}``: what a page is made of, said by its template."""

from __future__ import annotations

from django import template
from django.db.models import Model

from dumper.dependencies import depends_on as page_depends_on

register = template.Library()


@register.simple_tag
def depends_on(*targets: Model | str) -> str:
    """As :func:`dumper.depends_on`; put it before what is shown of the targets."""
    page_depends_on(*targets)
    return ""
