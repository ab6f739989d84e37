"""Pages of the clinic: signing in, preferences, protocols."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from clinic.views import on_call, protocols
from clinic.views.preferences import preferences
from clinic.views.signing_in import SignIn, SignOut
from clinic.views.start import start

urlpatterns = [
    path("", start, name="start"),
    path("login/", SignIn.as_view(), name="sign-in"),
    path("logout/", login_not_required(SignOut.as_view()), name="sign-out"),
    path("preferences/", preferences, name="preferences"),
    path("on-call/", on_call.rota, name="on-call"),
    path("on-call/<int:pk>/remove/", on_call.remove, name="on-call-remove"),
    path("protocols/", protocols.protocol_list, name="protocols"),
    path("protocols/services/new/", protocols.new_service, name="new-service"),
    path("protocols/<slug:protocol>/<str:version>/", protocols.protocol_page, name="protocol"),
    path(
        "protocols/<slug:protocol>/<str:version>/approve/",
        protocols.approve,
        name="protocol-approve",
    ),
    path(
        "protocols/<slug:protocol>/<str:version>/retire/", protocols.retire, name="protocol-retire"
    ),
]
