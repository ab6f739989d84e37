"""Tasks: what is due, who has it, and what came of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.models import Task
from clinic.models import AuditEntry, Site, Staff
from patients.models import Patient
from reminders.models import Conversation, InboundMessage

pytestmark = pytest.mark.django_db

LIST = "/tasks/"


def text_of(response: Any) -> str:
    return str(response.content.decode())


def a_task(patient: Patient, site: Site, due_at: datetime, title: str = "Ring her") -> Task:
    return Task.objects.create(
        key=f"message.{title}",
        site=site,
        patient=patient,
        kind="call",
        title=title,
        detail="Nothing arrived.",
        why=["Text and e-mail failed."],
        due_at=due_at,
        created_at=due_at - timedelta(days=1),
    )


@pytest.fixture
def task(patient: Patient, site: Site, now: datetime) -> Task:
    return a_task(patient, site, now - timedelta(hours=1))


def test_a_task_says_whom_to_call_where_and_why(desk: Client, task: Task) -> None:
    text = text_of(desk.get(LIST))
    for words in ("Ring her", "Elena Sato", "tel:+12125550123", "Text and e-mail failed.", "due"):
        assert words in text


def test_a_task_leads_to_the_reply_or_the_event_that_it_came_from(
    desk: Client, patient: Patient, site: Site, now: datetime
) -> None:
    talk = Conversation.objects.create(
        site=site, channel="sms", address="+12125550123", patient=patient, state="new",
        opened_at=now, last_at=now,
    )  # fmt: skip
    reply = InboundMessage.objects.create(
        conversation=talk, provider="twilio", provider_id="1", received_at=now, text="Is it red?"
    )
    for key in (f"reply:{reply.pk}:symptom", "event:71"):
        task = a_task(patient, site, now, title=key)
        Task.objects.filter(pk=task.pk).update(key=key)
    text = text_of(desk.get(LIST))
    assert f'href="/inbox/{talk.pk}/">the reply<' in text
    assert 'href="/events/71/">the adverse event<' in text


def test_a_task_about_the_site_names_no_patient_and_can_be_closed(
    desk: Client, site: Site, now: datetime
) -> None:
    task = Task.objects.create(
        key="alarm:1:20003:2027021509",
        site=site,
        kind="check",
        title="Messages do not go out",
        due_at=now,
        created_at=now,
    )
    text = text_of(desk.get(LIST))
    assert "Messages do not go out" in text
    assert "/patients/" not in text.partition("Messages do not go out")[2].partition("</li>")[0]
    desk.post(f"{LIST}{task.pk}/close/", {"outcome": "The card was renewed."})
    task.refresh_from_db()
    assert task.closed_at == now


def test_today_comes_first_and_later_is_folded(
    desk: Client, patient: Patient, site: Site, now: datetime
) -> None:
    a_task(patient, site, now + timedelta(hours=13), "Late today")  # 22:00 in New York
    a_task(patient, site, now + timedelta(hours=16), "Tomorrow")
    text = text_of(desk.get(LIST))
    assert text.index("Late today") < text.index("Later: 1") < text.index("Tomorrow")


def test_a_task_is_taken_and_taken_over(
    desk: Client, task: Task, front_desk: Staff, manager: Staff
) -> None:
    desk.post(f"{LIST}{task.pk}/take/")
    task.refresh_from_db()
    assert task.owner == front_desk
    other = Client()
    other.force_login(manager)
    response = other.post(f"{LIST}{task.pk}/take/", follow=True)
    assert "Ana Front has taken this task already." in text_of(response)
    other.post(f"{LIST}{task.pk}/take/", {"over": "1"})
    task.refresh_from_db()
    assert task.owner == manager
    assert AuditEntry.objects.filter(action="task.take").count() == 2


def test_a_task_is_closed_with_what_came_of_it(
    desk: Client, task: Task, front_desk: Staff, now: datetime
) -> None:
    desk.post(f"{LIST}{task.pk}/close/", {"outcome": " Spoke to\n her\x00, all <b>well</b> "})
    task.refresh_from_db()
    assert task.outcome == "Spoke to her , all <b>well</b>"
    assert (task.closed_by, task.closed_at) == (front_desk, now)
    text = text_of(desk.get(LIST, {"show": "closed"}))
    assert "all &lt;b&gt;well&lt;/b&gt;" in text
    assert "Nothing due today" in text_of(desk.get(LIST))
    response = desk.post(f"{LIST}{task.pk}/close/", {"outcome": "Again"}, follow=True)
    assert "closed already" in text_of(response)
    response = desk.post(f"{LIST}{task.pk}/take/", follow=True)
    assert "closed already" in text_of(response)


@pytest.mark.parametrize("outcome", ["", "  ", "\x00", "x" * 201])
def test_a_task_is_not_closed_without_one_line(desk: Client, task: Task, outcome: str) -> None:
    response = desk.post(f"{LIST}{task.pk}/close/", {"outcome": outcome}, follow=True)
    assert "Write" in text_of(response)
    task.refresh_from_db()
    assert task.closed_at is None


def test_staff_of_another_site_meet_no_task(stranger: Client, task: Task) -> None:
    assert "Ring her" not in text_of(stranger.get(LIST))
    assert stranger.post(f"{LIST}{task.pk}/take/").status_code == 404
    assert stranger.post(f"{LIST}{task.pk}/close/", {"outcome": "x"}).status_code == 404


def test_somebody_without_a_role_is_told_who_can(db: None, task: Task) -> None:
    nobody = Staff.objects.create_user("new@clinic.example", "x", name="New")
    client = Client()
    client.force_login(nobody)
    answer = client.get(LIST)
    assert answer.status_code == 403
    assert "manager" in text_of(answer)


def test_many_tasks_take_as_few_queries_as_one(
    desk: Client,
    task: Task,
    patient: Patient,
    site: Site,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(20) as one:
        desk.get(LIST)
    for number in range(30):
        a_task(patient, site, now - timedelta(hours=2), f"Task {number}")
    with django_assert_max_num_queries(len(one)):
        desk.get(LIST)
