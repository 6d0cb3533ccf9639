"""Models whose changes refresh pages; what each page shows is decided by the same methods."""

import uuid

from django.db import models
from django.urls import reverse_lazy

import dumper


@dumper.register
class Section(models.Model):
    """A tree: a page shows its section, and the sections right below."""

    slug = models.CharField(max_length=50)
    title = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True)

    def dependent_paths(self):
        yield f"/{self.slug}/"
        if self.parent_id is not None:
            yield f"/{self.parent.slug}/"


@dumper.register
class Tag(models.Model):
    slug = models.CharField(max_length=50)

    def dependent_paths(self):
        return [f"/{self.slug}/"] if self.articles.exists() else [f"/{self.slug}/", "/unused-tags/"]


class Person(models.Model):
    """Not registered: its pages hang on the articles."""

    slug = models.CharField(max_length=50)


@dumper.register
class Article(models.Model):
    slug = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=50)
    section = models.ForeignKey(Section, models.CASCADE, null=True)
    views = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag, related_name="articles")
    related = models.ManyToManyField("self")
    sequels = models.ManyToManyField("self", symmetrical=False, related_name="prequels")
    people = models.ManyToManyField(Person, through="Contribution")

    def dependent_paths(self):
        yield f"/{self.slug}/"
        yield f"/views/{self.views}/"
        if self.section_id is not None:
            yield f"/{self.section.slug}/"
        for other in (*self.tags.all(), *self.related.all(), *self.sequels.all(), *self.people.all()):
            yield f"/{other.slug}/"
        for tag in self.tags.all():
            yield f"/{tag.slug}/{self.slug}/"


class Contribution(models.Model):
    article = models.ForeignKey(Article, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    role = models.CharField(max_length=50, default="author")


@dumper.register
class Comment(models.Model):
    """Its article may be missing until the commit: the database checks it then."""

    slug = models.CharField(max_length=50)
    article = models.ForeignKey(Article, models.CASCADE)

    def dependent_paths(self):
        return [f"/{self.slug}/"]


@dumper.register
class Ticket(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    slug = models.CharField(max_length=50)

    def dependent_paths(self):
        return [f"/{self.slug}/"]


@dumper.register
class Place(models.Model):
    """Registered, unlike the restaurants among the places."""

    slug = models.CharField(max_length=50)

    def dependent_paths(self):
        return [f"/{self.slug}/"]


class Restaurant(Place):
    menu = models.CharField(max_length=50)


class Vehicle(models.Model):
    """Not registered, unlike the cars among the vehicles."""

    slug = models.CharField(max_length=50)


@dumper.register
class Car(Vehicle):
    doors = models.IntegerField(default=4)

    def dependent_paths(self):
        return [f"/{self.slug}/"]


class Taxi(Vehicle):
    """A vehicle may be a car and a taxi."""

    licence = models.CharField(max_length=50, default="none")


class Note(models.Model):
    """Not registered, unlike its proxy."""

    slug = models.CharField(max_length=50)
    places = models.ManyToManyField(Place, related_name="notes")


@dumper.register
class PinnedNote(Note):
    class Meta:
        proxy = True

    def dependent_paths(self):
        return [f"/{self.slug}/", *(f"/{self.slug}/{place.slug}/" for place in self.places.all())]


class PrivateNote(Note):
    class Meta:
        proxy = True


class NearbyPlace(Place):
    """A proxy of a registered model."""

    class Meta:
        proxy = True


class WithSection(models.Manager):
    def get_queryset(self):
        return super().get_queryset().select_related("section")


@dumper.register
class Product(models.Model):
    """Names its pages in the way of old."""

    slug = models.CharField(max_length=50)
    section = models.ForeignKey(Section, models.SET_NULL, null=True)
    with_section = WithSection()
    objects = models.Manager()

    class Meta:
        base_manager_name = "with_section"

    def get_absolute_url(self):
        return f"/{self.slug}/"

    def get_purge_urls(self):
        return ["/products/", reverse_lazy("page", args=["offers/"])]


@dumper.register
class Whatever(models.Model):
    """Names the paths that a test gives it."""

    slug = models.CharField(max_length=50)

    @staticmethod
    def names(instance):
        return [f"/{instance.slug}/"]

    def dependent_paths(self):
        return self.names(self)


class Unregistered(models.Model):
    slug = models.CharField(max_length=50)

    def dependent_paths(self):
        return [f"/{self.slug}/"]
