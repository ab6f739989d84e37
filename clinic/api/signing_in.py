"""Tokens: signing in by e-mail and password, and out again.

A token is stored hashed, ends after twelve hours and is shown once. Tries count together with
those of the sign-in page.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from drf_spectacular.utils import OpenApiExample, extend_schema
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from clinic.api_fields import Body, Instant
from clinic.models import Staff


class LoginThrottle(SimpleRateThrottle):
    """Per address of the network, whoever is tried; the account itself rests after eight."""

    scope = "login"
    rate = "30/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"login-{self.get_ident(request)}"


class CredentialsRefused(exceptions.AuthenticationFailed):
    """One answer to an unknown address, a wrong password and an account out of use."""

    default_code = "credentials"
    default_detail = "E-mail and password do not match. Check both and try again."


class AccountRests(exceptions.Throttled):
    default_code = "account_rests"
    default_detail = "Too many tries for this account from here. Try again in 15 minutes."
    extra_detail_singular = extra_detail_plural = ""


class LoginSerializer(Body):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`.")
    expires_at = Instant()
    staff_id = serializers.IntegerField()
    name = serializers.CharField()


class Login(APIView):
    tag = "signing in"
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"

    @extend_schema(
        request=LoginSerializer,
        responses={200: TokenSerializer},
        auth=[],
        examples=[
            OpenApiExample(
                "Sign in",
                {"email": "front@clinic.example", "password": "…"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Get a token for an e-mail address and a password."""
        read = LoginSerializer(data=request.data)
        read.is_valid(raise_exception=True)
        # The lock-out counts on Django's own request, and would answer a page of HTML there.
        plain = request._request
        found = authenticate(
            plain,
            username=read.validated_data["email"].lower(),
            password=read.validated_data["password"],
        )
        if getattr(plain, "axes_locked_out", False):
            plain.axes_locked_out = False  # type: ignore[attr-defined]
            raise AccountRests
        if found is None:
            raise CredentialsRefused
        stored, token = AuthToken.objects.create(user=found)
        user_logged_in.send(sender=Staff, request=plain, user=found)
        about = {
            "token": token,
            "expires_at": stored.expiry,
            "staff_id": found.pk,
            "name": found.name,
        }
        return Response(TokenSerializer(about).data)


class Logout(APIView):
    tag = "signing in"
    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the token that the request carries."""
        cast(AuthToken, request.auth).delete()
        user_logged_out.send(sender=Staff, request=request._request, user=request.user)
        return Response(status=204)


class LogoutAll(APIView):
    tag = "signing in"
    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End every token of the staff member who asks."""
        AuthToken.objects.filter(user=request.user).delete()
        user_logged_out.send(sender=Staff, request=request._request, user=request.user)
        return Response(status=204)
