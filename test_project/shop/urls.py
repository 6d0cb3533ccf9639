from django.urls import path
from django.views.generic import RedirectView

from . import views

app_name = "shop"

urlpatterns = [
    path("", views.FlavourList.as_view(), name="list"),
    path("ice-cream/", RedirectView.as_view(pattern_name="shop:list")),
    path("ice-cream/<str:slug>/", views.FlavourDetail.as_view(), name="flavour"),
    path("size/<str:slug>/", views.SizeDetail.as_view(), name="size"),
    path("topping/<str:slug>/", views.ToppingDetail.as_view(), name="topping"),
    path("search/", views.Search.as_view(), name="search"),
]
