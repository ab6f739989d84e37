"""Screening: what is asked and found, the answers of patients, and decisions on them."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import clearance
from appointments.api.shapes import REASON_LENGTH, TreatmentSerializer
from appointments.claiming import checking
from appointments.clearance import Treatment, answering, due_questions
from appointments.clearance.screening import screened_of
from clinic import access
from clinic.access import Capability
from clinic.api_fields import BarSerializer, Body, Day, Instant
from clinic.api_views import IdFilter, Rows
from clinic.protocols import loading
from clinic.protocols.differing import differences
from clinic.protocols.schema import AskAt
from clinic.wall_time import local
from patients.models import (
    AnswerValue,
    Patient,
    ScreeningAnswer,
    ScreeningDecision,
    ScreeningMoment,
    SkinType,
)
from patients.screening import overview, sentences
from patients.screening.answers import FITTING, Said, Value
from patients.screening.assessing import Finding, Rule, assess

MOST_ANSWERS = 100


class ScreenedSerializer(TreatmentSerializer):
    """A treatment to screen for, at one of the moments at which its protocol asks."""

    moment = serializers.ChoiceField(ScreeningMoment.choices, default=ScreeningMoment.CONSULT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        checking.treatment_fits(loading.get(attrs["version"]), attrs["areas"], 1)
        return attrs


class ScreeningQuestionSerializer(serializers.Serializer[Any]):
    """One question to ask now."""

    id = serializers.CharField()
    en = serializers.CharField(source="text.en")
    es = serializers.CharField(source="text.es")
    values = serializers.SerializerMethodField(help_text="What may be answered.")
    is_planned = serializers.BooleanField(help_text="It asks for days to come, first and last.")

    def get_values(self, question: Any) -> list[str]:
        return [str(value) for value in FITTING[question.trigger]]


class ScreeningFindingSerializer(serializers.Serializer[Any]):
    """One thing found, and on which local days it stands."""

    rule = serializers.CharField(
        help_text="The id of a question, or `fitzpatrick`, `min_age`, `lacking`."
    )
    outcome = serializers.CharField(help_text="`task`, `review`, `defer` or `block`.")
    sentence = serializers.CharField()
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True, help_text="First local date without it.")
    because = serializers.CharField(help_text="What asks for it, in words.")
    evidence = serializers.ListField(child=serializers.CharField())
    answers = serializers.ListField(
        child=serializers.IntegerField(), help_text="What a decision has to name."
    )
    may_be_decided = serializers.BooleanField()
    is_lifted = serializers.BooleanField(help_text="A clinician decided to treat all the same.")


class AnsweredSerializer(serializers.Serializer[Any]):
    """An answer that tells about a question now."""

    id = serializers.IntegerField(source="answer.id")
    question = serializers.CharField(source="question.id")
    area = serializers.CharField(allow_blank=True, help_text="Empty: the whole body.")
    value = serializers.CharField(source="answer.value")
    day = serializers.DateField(source="answer.day", allow_null=True)
    said_on = serializers.DateField(source="answer.said_on")
    together = serializers.BooleanField(source="answer.together")
    counts_until = serializers.DateField(
        allow_null=True, help_text="First local date on which it is asked again; null: it stands."
    )
    leads_to = serializers.SerializerMethodField(help_text="What comes of it, in words.")

    def get_leads_to(self, answered: Any) -> str:
        return sentences.leads_to(answered.finding) if answered.finding else ""


class ProtocolDifferenceSerializer(serializers.Serializer[Any]):
    """A matter on which the protocols of two treatments under way chose differently."""

    topic = serializers.CharField()
    choices = serializers.SerializerMethodField(help_text="By the name of the protocol.")
    counts = serializers.CharField(help_text="Which of them counts, in words.")

    def get_choices(self, difference: Any) -> dict[str, str]:
        return dict(difference.choices)


class AssessmentSerializer(serializers.Serializer[Any]):
    questions = ScreeningQuestionSerializer(many=True, help_text="Those to ask at that moment.")
    findings = ScreeningFindingSerializer(many=True)
    bars = BarSerializer(many=True, help_text="Everything in the way, from every source.")
    answers = AnsweredSerializer(many=True, help_text="What was answered, and counts.")
    differences = ProtocolDifferenceSerializer(
        many=True, help_text="Where it differs from other treatments under way in the same place."
    )


class SaidSerializer(Body):
    question = serializers.CharField(max_length=60)
    value = serializers.ChoiceField(AnswerValue.choices)
    day = Day(required=False, allow_null=True, help_text="With `date`: the last day of it.")
    begins = Day(required=False, allow_null=True, help_text="The first day of what is planned.")


class AnswersSerializer(ScreenedSerializer):
    answers = SaidSerializer(many=True, required=False)
    skin_type = serializers.ChoiceField(SkinType.choices, required=False)
    no_to_the_rest = serializers.BooleanField(
        default=False,
        help_text="The patient was asked everything else that is due and said no to all of it.",
    )

    def validate_answers(self, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked = [each["question"] for each in answers]
        if len(asked) > MOST_ANSWERS:
            raise serializers.ValidationError(f"Send at most {MOST_ANSWERS} answers.")
        if len(set(asked)) < len(asked):
            raise serializers.ValidationError("Answer each question once.")
        return answers


class AnswerSerializer(serializers.ModelSerializer[ScreeningAnswer]):
    said_at = Instant()

    class Meta:
        model = ScreeningAnswer
        fields = (
            *("id", "patient", "protocol_version", "question", "area", "value", "day", "begins"),
            *("moment", "said_at", "said_on", "by", "together"),
        )


class DecideSerializer(ScreenedSerializer):
    moment = None  # type: ignore[assignment]  # a decision belongs to none
    rule = serializers.CharField(max_length=60)
    answers = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=50)
    proceeds = serializers.BooleanField(help_text="Whether to treat all the same.")
    reason = serializers.CharField(max_length=REASON_LENGTH)


class DecisionSerializer(serializers.ModelSerializer[ScreeningDecision]):
    decided_at = Instant()

    class Meta:
        model = ScreeningDecision
        fields = (
            *("id", "patient", "protocol_version", "rule", "answers", "skin_type", "proceeds"),
            *("reason", "by", "decided_at", "decided_on"),
        )


class PatientFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")


_TREATMENT = {"patient": 1, "site": 1, "protocol": 7, "areas": ["face"]}


@extend_schema_view(list=extend_schema(summary="List answers, the latest last."))
class ScreeningAnswers(ListModelMixin, Rows):
    tag = "screening"
    queryset = ScreeningAnswer.objects.none()
    serializer_class = AnswerSerializer
    filterset_class = PatientFilter

    def patient_of(self, row: ScreeningAnswer) -> int:
        return row.patient_id

    def get_queryset(self) -> QuerySet[ScreeningAnswer]:
        seen = Patient.objects.seen_by(self.staff)
        return ScreeningAnswer.objects.filter(patient__in=seen).order_by("said_at", "id")

    @extend_schema(
        request=AnswersSerializer,
        responses={201: AssessmentSerializer},
        examples=[
            OpenApiExample(
                "On the day",
                {
                    **_TREATMENT,
                    "moment": "day_of",
                    "answers": [
                        {"question": "pregnancy", "value": "no"},
                        {"question": "retinoid_use", "value": "date", "day": "2027-03-02"},
                    ],
                    "skin_type": "III",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Write down what a patient answered, and read what follows from it."""
        asked = self.body(AnswersSerializer)
        answering.answer(
            treatment=_treatment(asked),
            said={
                each["question"]: Said(Value(each["value"]), each.get("day"), each.get("begins"))
                for each in asked.get("answers", [])
            },
            moment=asked["moment"],
            skin_type=asked.get("skin_type", ""),
            no_to_the_rest=asked["no_to_the_rest"],
            by=self.staff,
            now=timezone.now(),
        )
        self.named([asked["patient"].pk])
        return Response(_assessment(asked), status=201)

    @extend_schema(
        request=ScreenedSerializer,
        responses=AssessmentSerializer,
        filters=False,
        examples=[OpenApiExample("At booking", {**_TREATMENT, "moment": "consult"})],
    )
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def assess(self, request: Request) -> Response:
        """Read what is to be asked for a treatment, and what stands in its way."""
        asked = self.body(ScreenedSerializer)
        access.require(self.staff, Capability.SCREEN, asked["site"])
        self.named([asked["patient"].pk])
        return Response(_assessment(asked))


@extend_schema_view(list=extend_schema(summary="List decisions on answers, the latest last."))
class ScreeningDecisions(ListModelMixin, Rows):
    tag = "screening"
    queryset = ScreeningDecision.objects.none()
    serializer_class = DecisionSerializer
    filterset_class = PatientFilter

    def patient_of(self, row: ScreeningDecision) -> int:
        return row.patient_id

    def get_queryset(self) -> QuerySet[ScreeningDecision]:
        seen = Patient.objects.seen_by(self.staff)
        return ScreeningDecision.objects.filter(patient__in=seen).order_by("id")

    @extend_schema(
        request=DecideSerializer,
        responses={201: DecisionSerializer},
        examples=[
            OpenApiExample(
                "Treat all the same",
                {
                    **_TREATMENT,
                    "rule": "bleeding",
                    "answers": [41],
                    "proceeds": True,
                    "reason": "Aspirin 75 mg; the prescriber agrees, bruising explained.",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Decide whether to treat in spite of exactly these answers."""
        asked = self.body(DecideSerializer)
        decision = answering.decide(
            treatment=_treatment(asked),
            rule=asked["rule"],
            answers=frozenset(asked["answers"]),
            proceeds=asked["proceeds"],
            reason=asked["reason"],
            by=self.staff,
            now=timezone.now(),
        )
        return Response(DecisionSerializer(decision).data, status=201)


def _treatment(asked: dict[str, Any]) -> Treatment:
    return Treatment(asked["patient"], asked["site"], asked["version"], asked["areas"])


def _assessment(asked: dict[str, Any]) -> Any:
    now, treatment = timezone.now(), _treatment(asked)
    treatment.patient.refresh_from_db(fields=["skin_type"])
    (screened,) = screened_of([treatment])
    (bars,) = clearance.standing([treatment], now=now)
    today = local(now, treatment.site.zone).date()
    findings = [
        finding
        for finding in assess(screened)
        if finding.rule != Rule.AGE or finding.stands_on(today)
    ]
    questions = due_questions.of_day(screened, today, AskAt(asked["moment"]))
    return AssessmentSerializer(
        {
            "questions": questions,
            "findings": [_shown(finding, treatment) for finding in findings],
            "bars": bars,
            "answers": overview.answered(screened),
            "differences": differences([screened.protocol, *screened.beside]),
        }
    ).data


def _shown(finding: Finding, treatment: Treatment) -> dict[str, Any]:
    protocol = treatment.protocol
    return {
        "rule": finding.rule,
        "outcome": finding.outcome,
        "sentence": sentences.sentence(finding, protocol, treatment.patient.skin_type),
        "since": finding.since,
        "until": finding.until,
        "because": sentences.rule(finding, protocol),
        "evidence": sentences.evidence(finding, protocol),
        "answers": sorted(finding.answers),
        "may_be_decided": finding.may_be_decided,
        "is_lifted": finding.is_lifted,
    }
