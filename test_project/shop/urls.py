from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from . import views

app_name = "shop"

LOGIN = {"template_name": "shop/login.html", "next_page": "shop:account"}

urlpatterns = [
    path("", views.FlavourList.as_view(), name="list"),
    path("ice-cream/", RedirectView.as_view(pattern_name="shop:list")),
    path("ice-cream/<str:slug>/", views.FlavourDetail.as_view(), name="flavour"),
    path("size/<str:slug>/", views.SizeDetail.as_view(), name="size"),
    path("topping/<str:slug>/", views.ToppingDetail.as_view(), name="topping"),
    path("search/", views.Search.as_view(), name="search"),
    path("menu.txt", views.menu, name="menu"),
    path("guest-book/", views.GuestBook.as_view(), name="guest-book"),
    path("hours/", views.Hours.as_view(), name="hours"),
    path("cart/", views.Cart.as_view(), name="cart"),
    path("account/", views.Account.as_view(), name="account"),
    path("account/theme/", views.Theme.as_view(), name="theme"),
    path("account/login/", LoginView.as_view(**LOGIN), name="login"),
    path("account/logout/", LogoutView.as_view(next_page="shop:account"), name="logout"),
]
