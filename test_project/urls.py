from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.static import serve

urlpatterns = [
    path("admin/", admin.site.urls),
    # Straight from the disk, past the slow storage.
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include("test_project.shop.urls")),
]
