"""The API of the house: signing in, sites, protocols and consent forms."""

from django.urls import path

from clinic.api.consent_forms import ConsentForms
from clinic.api.modalities import Modalities
from clinic.api.on_call import OnCall
from clinic.api.protocols import Protocols
from clinic.api.retention import Retentions
from clinic.api.signing_in import Login, Logout, LogoutAll
from clinic.api.site_settings import SiteSettings
from clinic.api.sites import Sites
from clinic.api.staff import People
from clinic.api_views import router

_router = router()
_router.register("sites", Sites, basename="api-sites")
_router.register("sites", SiteSettings, basename="api-site-settings")
_router.register("protocols", Protocols, basename="api-protocols")
_router.register("consent-forms", ConsentForms, basename="api-consent-forms")
_router.register("modalities", Modalities, basename="api-modalities")
_router.register("staff", People, basename="api-staff")
_router.register("on-call", OnCall, basename="api-on-call")
_router.register("record-retention", Retentions, basename="api-record-retention")

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="api-logout"),
    path("logoutall/", LogoutAll.as_view(), name="api-logout-all"),
    *_router.urls,
]
