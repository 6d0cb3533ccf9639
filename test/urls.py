from django.urls import path, re_path

from test.app import views

urlpatterns = [
    path("do/<name>/", views.do),
    re_path(r"^(?P<path>.*)$", views.page, name="page"),
]
