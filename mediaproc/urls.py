"""The map of the site. Paths under the interfaces have no trailing slash."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

import jobs.api.schema  # noqa: F401 - tells the document of the interfaces how one shows who one is
from mediaproc import errors, health

admin.autodiscover()

urlpatterns = [
    path("healthz", health.Healthz.as_view(), name="healthz"),
    path("api/v0/healthz", health.AnnotationHealthz.as_view(), name="annotation-healthz"),
    path("api/health", health.Health.as_view(), name="health"),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/swagger.html"),
        name="api-docs",
    ),
    path(
        "api/redoc",
        SpectacularRedocView.as_view(url_name="api-schema", template_name="api/redoc.html"),
        name="api-redoc",
    ),
    path("docs", RedirectView.as_view(pattern_name="api-docs"), name="docs"),
    path("redoc", RedirectView.as_view(pattern_name="api-redoc"), name="redoc"),
    path("login", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("", include("brands.urls")),
    path("", include("jobs.api.urls")),
    path("", include("jobs.urls")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
