from decimal import Decimal

from django.db import models
from django.urls import reverse

import dumper


class Page(models.Model):
    """Something with a page of its own, also shown on the list and in the search."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True, allow_unicode=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse(f"shop:{self._meta.model_name}", args=[self.slug])

    def dependent_paths(self):
        """Paths of the pages which show this object."""
        yield self.get_absolute_url()
        yield reverse("shop:list")
        yield reverse("shop:search")
        yield reverse("shop:menu")


@dumper.register
class Size(Page):
    price_factor = models.DecimalField(max_digits=4, decimal_places=2, default=1)

    class Meta(Page.Meta):
        ordering = ["price_factor"]

    def dependent_paths(self):
        yield from super().dependent_paths()
        for flavour in self.flavours.all():
            yield flavour.get_absolute_url()


@dumper.register
class Topping(Page):
    def dependent_paths(self):
        yield from super().dependent_paths()
        for flavour in self.flavours.all():
            yield flavour.get_absolute_url()


@dumper.register
class Flavour(Page):
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=5, decimal_places=2)
    # Without width_field and height_field, asking for a dimension opens the file.
    image = models.ImageField(upload_to="flavours")
    sizes = models.ManyToManyField(Size, related_name="flavours", blank=True)
    toppings = models.ManyToManyField(Topping, related_name="flavours", blank=True)

    def dependent_paths(self):
        yield from super().dependent_paths()
        for size in self.sizes.all():
            yield size.get_absolute_url()
        for topping in self.toppings.all():
            yield topping.get_absolute_url()

    def price_list(self):
        """Each size with its price."""
        cent = Decimal("0.01")
        for size in self.sizes.all():
            yield size, (self.price * size.price_factor).quantize(cent)


@dumper.register
class Entry(models.Model):
    """What a visitor has written into the guest book."""

    name = models.CharField(max_length=40)
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "entries"

    def __str__(self):
        return f"{self.name}: {self.text}"

    def dependent_paths(self):
        yield reverse("shop:guest-book")
