"""Every address of the house: pages at the root, the API under /api/v1/."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.health import health
from config.metrics import metrics

# Swagger writes style attributes and data: images; no other page may.
_swagger = csp_update({"style-src": [SELF, UNSAFE_INLINE], "img-src": ["data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)

urlpatterns = [
    path("health/", health, name="health"),
    path("metrics/", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", _swagger, name="api-docs"),
    path("", include("reminders.webhook_urls")),
    path("", include("reminders.sandbox_urls")),
    path("api/v1/", include("clinic.api")),
    path("api/v1/", include("patients.api")),
    path("api/v1/", include("appointments.api")),
    path("api/v1/", include("reminders.api")),
    path("", include("clinic.urls")),
    path("", include("patients.urls")),
    path("", include("appointments.urls")),
    path("", include("reminders.urls")),
]

handler400 = "reminders.patient_pages.failed_page.unread"
handler404 = "reminders.patient_pages.failed_page.not_found"
handler500 = "reminders.patient_pages.failed_page.broken"
