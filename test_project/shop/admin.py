from django import forms
from django.contrib import admin
from django.db import models

from .models import Entry, Flavour, Size, Topping


@admin.register(Flavour, Size, Topping)
class PageAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    formfield_overrides = {
        models.ManyToManyField: {"widget": forms.CheckboxSelectMultiple},
    }


admin.site.register(Entry)
