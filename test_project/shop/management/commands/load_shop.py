from decimal import Decimal

from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.text import slugify

from test_project.shop.assortment import FLAVOURS, SIZES, TOPPINGS
from test_project.shop.models import Flavour, Size, Topping
from test_project.shop.pictures import draw_cone


class Command(BaseCommand):
    help = "Fills the shop, leaving alone what is already there."

    @transaction.atomic
    def handle(self, **options):
        load_users()
        sizes = [load(Size, name, price_factor=f)[0] for name, f in SIZES.items()]
        toppings = [load(Topping, name)[0] for name in TOPPINGS]
        for number, name in enumerate(FLAVOURS):
            load_flavour(number, name, sizes, toppings)
        self.stdout.write(f"{Flavour.objects.count()} flavours are in the shop.")


def load_users():
    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", password="admin")
    if not users.filter(username="mia").exists():
        users.create_user("mia", password="mia", first_name="Mia")


def load(model, name, **fields):
    slug = slugify(name, allow_unicode=True)
    return model.objects.get_or_create(slug=slug, defaults={"name": name, **fields})


def load_flavour(number, name, sizes, toppings):
    flavour, is_new = load(
        Flavour,
        name,
        description=f"{name}, churned this morning from milk of the farm next door.",
        price=Decimal("1.50") + Decimal("0.10") * (number * 7 % 12),
        image=f"flavours/{number:03}.png",
    )
    if is_new:
        # Every fourth flavour is not for kids.
        flavour.sizes.set(sizes if number % 4 else sizes[1:])
        flavour.toppings.set(toppings[(number + i * i) % len(toppings)] for i in (0, 1, 2))
    if not default_storage.exists(flavour.image.name):
        default_storage.save(flavour.image.name, draw_cone(number))
