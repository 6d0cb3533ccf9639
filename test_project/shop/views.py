"""
Pages without user, session or CSRF token: everybody may share the stored copy.
"""

from django.db.models import Q
from django.views.generic import DetailView, ListView

from .models import Flavour, Size, Topping


class FlavourList(ListView):
    model = Flavour
    template_name = "shop/list.html"
    context_object_name = "flavours"
    # Uncalled, for the template to call: a queryset here would be read only once.
    extra_context = {"sizes": Size.objects.all, "toppings": Topping.objects.all}


class FlavourDetail(DetailView):
    model = Flavour
    template_name = "shop/flavour.html"


class SizeDetail(DetailView):
    model = Size
    template_name = "shop/selection.html"
    extra_context = {"kind": "Size"}


class ToppingDetail(DetailView):
    model = Topping
    template_name = "shop/selection.html"
    extra_context = {"kind": "Topping"}


class Search(ListView):
    template_name = "shop/search.html"
    context_object_name = "flavours"

    def get_queryset(self):
        words = self.request.GET.get("q", "").split()
        flavours = Flavour.objects.all() if words else Flavour.objects.none()
        for word in words:
            flavours = flavours.filter(
                Q(name__icontains=word) | Q(sizes__name__icontains=word) | Q(toppings__name__icontains=word)
            )
        return flavours.distinct()
