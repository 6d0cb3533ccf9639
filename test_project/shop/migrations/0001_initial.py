from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Size",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(allow_unicode=True, max_length=80, unique=True)),
                ("price_factor", models.DecimalField(decimal_places=2, default=1, max_digits=4)),
            ],
            options={
                "ordering": ["price_factor"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Topping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(allow_unicode=True, max_length=80, unique=True)),
            ],
            options={
                "ordering": ["name"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Flavour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(allow_unicode=True, max_length=80, unique=True)),
                ("description", models.TextField(blank=True)),
                ("price", models.DecimalField(decimal_places=2, max_digits=5)),
                ("image", models.ImageField(upload_to="flavours")),
                ("sizes", models.ManyToManyField(blank=True, related_name="flavours", to="shop.size")),
                ("toppings", models.ManyToManyField(blank=True, related_name="flavours", to="shop.topping")),
            ],
            options={
                "ordering": ["name"],
                "abstract": False,
            },
        ),
    ]
