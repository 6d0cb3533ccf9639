"""Rows that several models share: multi-table inheritance and proxies, whichever of them is registered."""

import pytest
from django.db import connection, models

import dumper
from test.app.models import Car, NearbyPlace, Note, PinnedNote, Place, PrivateNote, Restaurant, Taxi, Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


def renamed(row, slug="b"):
    row.slug = slug
    row.save()


def delete_row(model):
    model.objects.get().delete()


def delete_queryset(model):
    model.objects.all().delete()


def test_a_saved_child_refreshes_the_pages_of_its_registered_parent(refreshed):
    with refreshed("/a/"):
        child = Restaurant.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        renamed(child)


def test_a_registered_parent_saved_as_itself_refreshes_its_pages(refreshed):
    Restaurant.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        renamed(Place.objects.get())


def test_a_saved_parent_refreshes_the_pages_of_its_registered_child(refreshed):
    Car.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        renamed(Vehicle.objects.get())


def test_a_parent_without_a_registered_child_refreshes_nothing(refreshed):
    vehicle = Vehicle.objects.create(slug="a")
    with refreshed(kept=["/a/", "/b/"]):
        renamed(vehicle)


def test_a_saved_sibling_refreshes_the_pages_of_the_registered_one(refreshed):
    car = Car.objects.create(slug="a")
    taxi = Taxi(vehicle_ptr_id=car.pk)
    taxi.save_base(raw=True)
    with refreshed("/a/", "/b/"):
        renamed(Taxi.objects.get())


@pytest.mark.parametrize("model", [Vehicle, Car])
@pytest.mark.parametrize("delete", [delete_row, delete_queryset])
def test_a_row_deleted_by_either_model_refreshes_the_pages_of_the_registered_child(refreshed, model, delete):
    Car.objects.create(slug="a")
    with refreshed("/a/"):
        delete(model)


def test_a_child_deleted_without_its_parents_refreshes_the_page(refreshed):
    car = Car.objects.create(slug="a")
    with refreshed("/a/"):
        car.delete(keep_parents=True)


@pytest.mark.parametrize("delete", [delete_row, delete_queryset])
def test_a_deleted_child_refreshes_the_pages_of_its_registered_parent(refreshed, delete):
    Restaurant.objects.create(slug="a")
    with refreshed("/a/"):
        delete(Restaurant)


@pytest.mark.parametrize("model", [Note, PinnedNote, PrivateNote])
def test_a_row_written_by_any_of_its_proxies_refreshes_the_pages_of_the_registered_one(refreshed, model):
    with refreshed("/a/"):
        model.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        renamed(model.objects.get())
    with refreshed("/b/"):
        model.objects.get().delete()


@pytest.mark.parametrize("model", [Note, PinnedNote, PrivateNote])
def test_a_queryset_deleted_by_any_proxy_refreshes_the_pages_of_the_registered_one(refreshed, model):
    Note.objects.create(slug="a")
    with refreshed("/a/"):
        model.objects.all().delete()


def test_a_saved_proxy_refreshes_the_pages_of_its_registered_model(refreshed):
    with refreshed("/a/"):
        place = NearbyPlace.objects.create(slug="a")
    with refreshed("/a/", "/b/"):
        renamed(place)
    with refreshed("/b/"):
        NearbyPlace.objects.all().delete()


def test_a_child_may_name_pages_of_its_own(refreshed, restored_registry):
    class Cafe(Place):
        class Meta:
            app_label = "late"
            proxy = True

        def dependent_paths(self):
            return [*super().dependent_paths(), "/cafes/"]

    with refreshed("/a/", "/cafes/"):
        Cafe.objects.create(slug="a")


def test_models_defined_after_their_parent_was_registered_are_noticed(pages, restored_registry):
    class Hotel(Place):
        stars = models.IntegerField(default=3)

        class Meta:
            app_label = "late"

    with connection.schema_editor() as editor:
        editor.create_model(Hotel)
    try:
        with pages.refreshed("/a/"):
            hotel = Hotel.objects.create(slug="a")
        with pages.refreshed("/a/", "/b/"):
            renamed(hotel)
        with pages.refreshed("/b/"):
            Hotel.objects.all().delete()
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Hotel)


def test_a_model_registered_after_its_child_hears_of_the_child(pages):
    dumper.unregister(Place)
    try:
        child = Restaurant.objects.create(slug="a")
        with pages.kept("/a/", "/b/"):
            renamed(child)
    finally:
        dumper.register(Place)
    with pages.refreshed("/b/", "/c/"):
        renamed(child, "c")
