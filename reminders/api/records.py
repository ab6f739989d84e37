"""The whole record by API: its life, guardians, merging, handing it out, erasing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api_fields import Body, Instant, Seen
from clinic.api_views import Rows
from patients import guardians, telling_apart
from patients.models import Guardian, Language, Patient, RecordMerge, Relation, ToldApart
from reminders.models import RecordExport
from reminders.records import erasing, exporting, merging, stopping
from reminders.records.erasing import Statement
from reminders.records.merging import Preview

REASON = 200


class WhySerializer(Body):
    reason = serializers.CharField(max_length=REASON)


class GuardianSerializer(serializers.ModelSerializer[Guardian]):
    created_at = Instant()
    ended_at = Instant(allow_null=True)
    contact_points = serializers.SerializerMethodField()

    class Meta:
        model = Guardian
        fields: tuple[str, ...] = (
            *("id", "name", "relation", "language", "gets_messages", "may_sign"),
            *("contact_points", "created_at", "ended_at"),
        )

    def get_contact_points(self, guardian: Guardian) -> list[str]:
        return [point.value for point in guardian.contact_points.filter(retired_at=None)]


class AddGuardianSerializer(Body):
    name = serializers.CharField(max_length=guardians.NAME_LENGTH)
    relation = serializers.ChoiceField(Relation.choices)
    language = serializers.ChoiceField(Language.choices, default=Language.ENGLISH)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    gets_messages = serializers.BooleanField(default=True)
    may_sign = serializers.BooleanField(default=False)


class EndGuardianSerializer(WhySerializer):
    guardian = serializers.IntegerField(min_value=1)


class LifeSerializer(serializers.Serializer[Any]):
    """How it stands: who is silent is written to by nobody; `visits_to_decide` are to come."""

    id = serializers.IntegerField()
    deceased_at = Instant(allow_null=True)
    do_not_contact_at = Instant(allow_null=True)
    do_not_contact_why = serializers.CharField()
    erased_at = Instant(allow_null=True)
    kept_until = serializers.DateField(allow_null=True)
    visits_to_decide = serializers.ListField(child=serializers.IntegerField())


class WithSerializer(Body):
    gone = Seen(Patient.objects.seen_by, help_text="The record that becomes a part of this one.")


class MergeSerializer(WithSerializer):
    reason = serializers.CharField(max_length=REASON)
    taken_from_gone = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=40,
        default=list,
        help_text="Names of the fields in which the value of `gone` wins.",
    )


class DifferenceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kept = serializers.CharField()
    gone = serializers.CharField()
    wins = serializers.ChoiceField(["kept", "gone"])


class RulingSerializer(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    channel = serializers.CharField()
    agreed = serializers.BooleanField()
    why = serializers.CharField()


class MergePreviewSerializer(serializers.Serializer[Any]):
    """What merging would do; it can be done when there are no `conflicts`."""

    kept = serializers.IntegerField(source="kept.pk")
    gone = serializers.IntegerField(source="gone.pk")
    counts = serializers.SerializerMethodField(help_text="Rows that would move, by what they are.")
    conflicts = serializers.ListField(child=serializers.CharField())
    differences = DifferenceSerializer(many=True)
    consents = RulingSerializer(many=True, source="rulings")

    def get_counts(self, found: Preview) -> dict[str, int]:
        return dict(found.counts)


class MergedSerializer(serializers.ModelSerializer[RecordMerge]):
    at = Instant()
    undo_until = Instant()
    undone_at = Instant(allow_null=True)

    class Meta:
        model = RecordMerge
        fields: tuple[str, ...] = (
            *("id", "kept", "gone", "at", "by", "reason", "undo_until", "undone_at"),
        )


class UndoMergeSerializer(WhySerializer):
    merge = serializers.IntegerField(min_value=1)


class OtherRecordSerializer(Body):
    other = Seen(Patient.objects.seen_by, help_text="The record of somebody else.")


class ToldApartSerializer(serializers.ModelSerializer[ToldApart]):
    """That `one` and `other` are two persons, whichever of them said so."""

    at = Instant()

    class Meta:
        model = ToldApart
        fields: tuple[str, ...] = ("id", "one", "other", "at", "by")


class ExportSerializer(serializers.ModelSerializer[RecordExport]):
    asked_at = Instant()
    expires_at = Instant()

    class Meta:
        model = RecordExport
        fields: tuple[str, ...] = ("id", "patient", "asked_by", "asked_at", "reason", "expires_at")


class EraseSerializer(WhySerializer):
    typed = serializers.CharField(max_length=60, help_text="`erase 31`, with the patient's id.")


class StatementSerializer(serializers.Serializer[Any]):
    """What goes and what stays until when; `typed` are the words that erasing asks for."""

    erased = serializers.SerializerMethodField()
    kept = serializers.SerializerMethodField()
    kept_until = serializers.DateField(allow_null=True)
    conflicts = serializers.ListField(child=serializers.CharField())
    typed = serializers.CharField()

    def get_erased(self, found: Statement) -> dict[str, int]:
        return dict(found.erased)

    def get_kept(self, found: Statement) -> dict[str, str]:
        return dict(found.kept)


_WHY = OpenApiExample("With a reason", {"reason": "Told by her sister"}, request_only=True)
_MERGE = OpenApiExample(
    "The other record has the right birth date",
    {"gone": 45, "reason": "Registered twice", "taken_from_gone": ["birth_date"]},
    request_only=True,
)


class Records(Rows):
    tag = "records"
    queryset = Patient.objects.none()
    filter_backends = ()
    pagination_class = None

    def patient_of(self, row: Patient) -> int | None:
        return row.pk

    def get_queryset(self) -> QuerySet[Patient]:
        return Patient.objects.seen_by(self.staff)

    # --- Life -------------------------------------------------------------------------------------

    @extend_schema(responses=LifeSerializer)
    @action(detail=True, methods=["get"])
    def life(self, request: Request, pk: int) -> Response:
        """Read whether the patient has died, must not be contacted or was erased."""
        return self._life(self.get_object())

    @extend_schema(request=None, responses=LifeSerializer)
    @action(detail=True, methods=["post"], url_path="life/death")
    def death(self, request: Request, pk: int) -> Response:
        """Record a death: everything stops at once, visits to come become work."""
        patient = self.get_object()
        stopping.record_death(patient=patient, by=self.staff, now=timezone.now())
        return self._life(patient)

    @extend_schema(request=WhySerializer, responses=LifeSerializer, examples=[_WHY])
    @action(detail=True, methods=["post"], url_path="life/take-back-death")
    def take_back_death(self, request: Request, pk: int) -> Response:
        """Take back a death that was recorded by mistake."""
        patient = self.get_object()
        stopping.take_back_death(
            patient=patient, by=self.staff, now=timezone.now(), **self.body(WhySerializer)
        )
        return self._life(patient)

    @extend_schema(request=WhySerializer, responses=LifeSerializer, examples=[_WHY])
    @action(detail=True, methods=["post"], url_path="life/stop-contact")
    def stop_contact(self, request: Request, pk: int) -> Response:
        """Send nothing to the patient any more, on any channel."""
        patient = self.get_object()
        stopping.stop_contact(
            patient=patient, by=self.staff, now=timezone.now(), **self.body(WhySerializer)
        )
        return self._life(patient)

    @extend_schema(request=WhySerializer, responses=LifeSerializer, examples=[_WHY])
    @action(detail=True, methods=["post"], url_path="life/allow-contact")
    def allow_contact(self, request: Request, pk: int) -> Response:
        """Let messages go out again, as far as the patient agreed to them."""
        patient = self.get_object()
        stopping.allow_contact(
            patient=patient, by=self.staff, now=timezone.now(), **self.body(WhySerializer)
        )
        return self._life(patient)

    @extend_schema(responses=GuardianSerializer(many=True))
    @action(detail=True, methods=["get"])
    def guardians(self, request: Request, pk: int) -> Response:
        """List the guardians of a patient, those that ended included."""
        rows = self.get_object().guardians.all()
        return Response(GuardianSerializer(rows, many=True).data)

    @extend_schema(
        request=AddGuardianSerializer,
        responses={201: GuardianSerializer},
        examples=[
            OpenApiExample(
                "A mother who is written to and may sign",
                {
                    "name": "Ana Haddad",
                    "relation": "parent",
                    "language": "es",
                    "phone": "+1 212 555 0188",
                    "may_sign": True,
                },
                request_only=True,
            )
        ],
    )
    @guardians.mapping.post
    def add_guardian(self, request: Request, pk: int) -> Response:
        """Add a guardian of a minor."""
        added = guardians.add(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(AddGuardianSerializer),
        )
        return Response(GuardianSerializer(added).data, status=201)

    @extend_schema(request=EndGuardianSerializer, responses=GuardianSerializer)
    @action(detail=True, methods=["post"], url_path="guardians/end")
    def end_guardian(self, request: Request, pk: int) -> Response:
        """End that somebody answers for the patient."""
        asked = self.body(EndGuardianSerializer)
        guardian = get_object_or_404(self.get_object().guardians, pk=asked["guardian"])
        guardians.end(guardian=guardian, reason=asked["reason"], by=self.staff, now=timezone.now())
        guardian.refresh_from_db()
        return Response(GuardianSerializer(guardian).data)

    # --- Merging ----------------------------------------------------------------------------------

    @extend_schema(request=WithSerializer, responses=MergePreviewSerializer)
    @action(detail=True, methods=["post"], url_path="merge/preview")
    def preview_merge(self, request: Request, pk: int) -> Response:
        """Say what merging another record into this one would move, decide and need settled."""
        found = merging.preview(
            kept=self.get_object(), by=self.staff, now=timezone.now(), **self.body(WithSerializer)
        )
        return Response(MergePreviewSerializer(found).data)

    @extend_schema(request=MergeSerializer, responses={201: MergedSerializer}, examples=[_MERGE])
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: int) -> Response:
        """Merge another record into this one. It can be undone for thirty days."""
        done = merging.merge(
            kept=self.get_object(), by=self.staff, now=timezone.now(), **self.body(MergeSerializer)
        )
        return Response(MergedSerializer(done).data, status=201)

    @extend_schema(request=UndoMergeSerializer, responses=MergedSerializer)
    @action(detail=True, methods=["post"], url_path="merge/undo")
    def undo_merge(self, request: Request, pk: int) -> Response:
        """Make two records of this one again."""
        asked = self.body(UndoMergeSerializer)
        done = get_object_or_404(RecordMerge, pk=asked["merge"], kept=self.get_object())
        merging.undo(merge=done, reason=asked["reason"], by=self.staff, now=timezone.now())
        done.refresh_from_db()
        return Response(MergedSerializer(done).data)

    @extend_schema(responses=ToldApartSerializer(many=True))
    @action(detail=True, methods=["get"])
    def apart(self, request: Request, pk: int) -> Response:
        """List the records that are told apart from this one, of those that you may see."""
        patient = self.get_object()
        rows = list(ToldApart.objects.standing().of(patient).seen_by(self.staff))
        self.named({pk for each in rows for pk in (each.one_id, each.other_id)} - {patient.pk})
        return Response(ToldApartSerializer(rows, many=True).data)

    @extend_schema(request=OtherRecordSerializer, responses=ToldApartSerializer)
    @apart.mapping.post
    def tell_apart(self, request: Request, pk: int) -> Response:
        """Say that another record, however alike, is of somebody else. They are not merged then."""
        said = telling_apart.tell_apart(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(OtherRecordSerializer),
        )
        return Response(ToldApartSerializer(said).data)

    @extend_schema(request=OtherRecordSerializer, responses={204: None})
    @action(detail=True, methods=["post"], url_path="apart/undo")
    def take_back_apart(self, request: Request, pk: int) -> Response:
        """Take back that they are two persons."""
        telling_apart.take_back(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(OtherRecordSerializer),
        )
        return Response(status=204)

    # --- Handing out and erasing ------------------------------------------------------------------

    @extend_schema(request=WhySerializer, responses={201: ExportSerializer}, examples=[_WHY])
    @action(detail=True, methods=["post"])
    def exports(self, request: Request, pk: int) -> Response:
        """Ask for the whole record; it can be taken by you for an hour."""
        asked = exporting.ask(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(WhySerializer),
        )
        return Response(ExportSerializer(asked).data, status=201)

    @extend_schema(
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "The record.")}
    )
    @action(detail=True, methods=["get"], url_path=r"exports/<int:export>/file")
    def export_file(self, request: Request, pk: int, export: int) -> StreamingHttpResponse:
        """Take the record that you asked for, as a ZIP that is written while you take it."""
        asked = get_object_or_404(
            RecordExport.objects.select_related("patient"), pk=export, patient=self.get_object()
        )
        pieces: Iterator[bytes] = exporting.take(asked=asked, by=self.staff, now=timezone.now())
        answer = StreamingHttpResponse(pieces, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="record-{pk}.zip"'
        return answer

    @extend_schema(responses=StatementSerializer)
    @action(detail=True, methods=["get"])
    def erasure(self, request: Request, pk: int) -> Response:
        """Say what erasing this record would take away or did, and what the law keeps."""
        stated = erasing.statement(patient=self.get_object(), by=self.staff, now=timezone.now())
        return Response(StatementSerializer(stated).data)

    @extend_schema(request=EraseSerializer, responses=StatementSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: int) -> Response:
        """Erase the record for good."""
        stated = erasing.erase(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(EraseSerializer),
        )
        return Response(StatementSerializer(stated).data)

    def _life(self, patient: Patient) -> Response:
        patient = Patient.objects.get(pk=patient.pk)
        visits = stopping.visits_to_come(patient, now=timezone.now()) if patient.is_silent else []
        shown: dict[str, Any] = {
            "id": patient.pk,
            "deceased_at": patient.deceased_at,
            "do_not_contact_at": patient.do_not_contact_at,
            "do_not_contact_why": patient.do_not_contact_why,
            "erased_at": patient.erased_at,
            "kept_until": patient.kept_until,
            "visits_to_decide": [visit.pk for visit in visits],
        }
        return Response(LifeSerializer(shown).data)
