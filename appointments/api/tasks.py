"""Tasks: work for staff, to take and to close."""

from __future__ import annotations

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import tasks
from appointments.models import Task
from appointments.models.task import TaskKind
from clinic.api_fields import Body, Instant, NamedSerializer, Retold
from clinic.api_views import DayFilter, IdFilter, Rows


class TaskSerializer(serializers.ModelSerializer[Task]):
    due_at = Instant()
    created_at = Instant()
    closed_at = Instant(allow_null=True)
    owner = NamedSerializer(allow_null=True)
    title = Retold()
    detail = Retold()
    why = serializers.ListField(child=Retold())
    outcome = Retold()

    class Meta:
        model = Task
        fields = (
            *("id", "site", "patient", "appointment", "kind", "title", "detail", "wish"),
            *("why", "due_at", "created_at", "owner", "closed_at", "closed_by", "outcome"),
        )


class TakeSerializer(Body):
    over = serializers.BooleanField(default=False, help_text="Also from somebody who has it.")


class CloseSerializer(Body):
    outcome = serializers.CharField(max_length=tasks.OUTCOME_LENGTH)


class TaskFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    owner = IdFilter(field_name="owner", label="The id of a staff member.")
    kind = filters.ChoiceFilter(choices=TaskKind.choices)
    date = DayFilter(field_name="due_at", label="A local date of the site on which it is due.")
    open = filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", label="Whether it is not closed."
    )

    class Meta:
        model = Task
        fields = ("site", "patient", "owner", "kind", "date", "open")


@extend_schema_view(
    list=extend_schema(summary="List the tasks of your sites."),
    retrieve=extend_schema(summary="Read a task."),
)
class Tasks(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "tasks"
    queryset = Task.objects.none()
    serializer_class = TaskSerializer
    filterset_class = TaskFilter

    def patient_of(self, row: Task) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[Task]:
        return Task.objects.seen_by(self.staff).select_related("owner", "site")

    @extend_schema(request=TakeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def take(self, request: Request, pk: int) -> Response:
        """Become the owner of a task."""
        taken = tasks.take(
            task=self.get_object(), by=self.staff, now=timezone.now(), **self.body(TakeSerializer)
        )
        return Response(TaskSerializer(taken).data)

    @extend_schema(request=CloseSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def close(self, request: Request, pk: int) -> Response:
        """Close a task with what came of it."""
        closed = tasks.close(
            task=self.get_object(), by=self.staff, now=timezone.now(), **self.body(CloseSerializer)
        )
        return Response(TaskSerializer(closed).data)
