"""
The pages: what they read of a request decides who shares them.

Those of the assortment read a cookie, the theme, and show everybody the same. The account and the cart read the user
or the session: only visitors without one share them. Forms with CSRF tokens make no difference.
"""

import django
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import CreateView, DetailView, ListView, TemplateView

from .models import Entry, Flavour, Size, Topping

if django.VERSION >= (6, 0):
    from django.utils.csp import CSP
    from django.views.decorators.csp import csp_override

    scripts_need_a_nonce = csp_override({"script-src": [CSP.NONCE]})
else:

    def scripts_need_a_nonce(view):
        return view


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


def menu(request):
    """For printing: it reads nothing of the visitor, so that there is one for all."""
    lines = [f"{flavour.name}: {flavour.price}" for flavour in Flavour.objects.all()]
    lines += [f"with {topping.name}" for topping in Topping.objects.all()]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


class GuestBook(CreateView):
    model = Entry
    fields = ["name", "text"]
    template_name = "shop/guest_book.html"
    success_url = reverse_lazy("shop:guest-book")
    extra_context = {"entries": Entry.objects.all}


@method_decorator(scripts_need_a_nonce, name="dispatch")
class Hours(TemplateView):
    template_name = "shop/hours.html"


class Account(TemplateView):
    template_name = "shop/account.html"


class Theme(View):
    def post(self, request):
        response = redirect("shop:account")
        if request.POST.get("theme") == "dark":
            response.set_cookie("theme", "dark", max_age=365 * 24 * 60 * 60, samesite="Lax")
        else:
            # Light is for whoever has never chosen, too: one variant, not two.
            response.delete_cookie("theme", samesite="Lax")
        return response


class Cart(TemplateView):
    template_name = "shop/cart.html"

    def get_context_data(self, **kwargs):
        scoops = self.request.session.get("cart", {})
        flavours = Flavour.objects.filter(slug__in=scoops)
        return super().get_context_data(lines=[(f, scoops[f.slug]) for f in flavours], **kwargs)

    def post(self, request):
        flavour = get_object_or_404(Flavour, slug=request.POST.get("flavour"))
        scoops = request.session.get("cart", {})
        request.session["cart"] = {**scoops, flavour.slug: scoops.get(flavour.slug, 0) + 1}
        messages.success(request, f"{flavour} is in your cart.")
        return redirect("shop:cart")
