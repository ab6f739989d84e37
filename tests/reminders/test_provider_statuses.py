from itertools import product

import pytest

from reminders.catalogue import MessageState as State
from reminders.ledger.provider_codes import RULES, Action, meaning
from reminders.ledger.provider_statuses import RANK, from_provider, merge


@pytest.mark.parametrize(
    ("current", "incoming", "after"),
    [
        (State.SUBMITTING, State.ACCEPTED, State.ACCEPTED),
        (State.UNKNOWN, State.DELIVERED, State.DELIVERED),
        (State.SCHEDULED, State.SENT, State.SENT),
        (State.WITHDRAWN, State.SENT, State.SENT),
        (State.ACCEPTED, State.SENT, State.SENT),
        (State.SENT, State.ACCEPTED, None),
        (State.SENT, State.SENT, None),
        (State.DELIVERED, State.SENT, None),
        (State.UNDELIVERED, State.DELIVERED, State.DELIVERED),
        (State.DELIVERED, State.UNDELIVERED, None),
        (State.DELIVERED, State.FAILED, None),
        (State.FAILED, State.DELIVERED, None),
    ],
)
def test_a_report_only_moves_a_message_forward(
    current: State, incoming: State, after: State | None
) -> None:
    assert merge(current, incoming) is after


def test_no_order_of_reports_can_make_a_state_go_back() -> None:
    for current, incoming in product(State, RANK):
        after = merge(current, incoming)
        assert after is None or RANK[after] >= RANK.get(current, 0)
        assert after is None or merge(after, incoming) is None


def test_words_that_say_nothing_change_nothing() -> None:
    assert from_provider("twilio", "read") is State.DELIVERED
    assert from_provider("twilio", "partially_delivered") is None
    assert from_provider("another", "delivered") is None
    assert from_provider("telnyx", "delivery_unconfirmed") is None
    assert from_provider("mail", "complained") is None


@pytest.mark.parametrize(
    ("provider", "word", "state"),
    [
        ("telnyx", "sent", State.SENT),
        ("telnyx", "delivery_failed", State.UNDELIVERED),
        ("telnyx", "sending_failed", State.FAILED),
        ("telnyx", "expired", State.FAILED),
        ("mail", "deferred", State.SENT),
        ("mail", "opened", State.DELIVERED),
        ("mail", "bounced", State.UNDELIVERED),
        ("mail", "rejected", State.FAILED),
    ],
)
def test_every_provider_has_words_of_its_own(provider: str, word: str, state: State) -> None:
    assert from_provider(provider, word) is state


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("21610", Action.FALLBACK),
        ("21614", Action.FALLBACK),
        ("30006", Action.FALLBACK),
        ("30003", Action.RETRY_ONCE),
        ("30007", Action.ALARM),
        ("30034", Action.ALARM),
        ("30001", Action.EXPIRED),
        ("30036", Action.EXPIRED),
        ("30022", Action.SLOW_DOWN),
        ("20429", Action.SLOW_DOWN),
        ("telnyx-40300", Action.FALLBACK),
        ("telnyx-40006", Action.RETRY_ONCE),
        ("telnyx-40010", Action.ALARM),
        ("telnyx-40011", Action.SLOW_DOWN),
        ("telnyx-40014", Action.EXPIRED),
        ("telnyx-99999", Action.REPORT),
        ("mail-bounced", Action.FALLBACK),
        ("99999", Action.REPORT),
        ("", Action.REPORT),
        ("http-500", Action.REPORT),
        ("5.1.1", Action.FALLBACK),
        ("550", Action.FALLBACK),
        ("5.2.2", Action.FALLBACK),
        ("4.7.1", Action.RETRY_ONCE),
        ("535", Action.ALARM),
    ],
)
def test_each_code_asks_for_its_action(code: str, action: Action) -> None:
    assert meaning(code).action is action


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("21610", "opted_out"),
        ("21614", "not_textable"),
        ("21635", "not_textable"),
        ("30006", "not_textable"),
        ("telnyx-40300", "opted_out"),
        ("telnyx-40300-sender", ""),
        ("telnyx-40001", "not_textable"),
        ("mail-bounced", "hard_bounce"),
        ("mail-soft", ""),
        ("5.2.2", ""),
        ("5.1.1", "hard_bounce"),
        ("30003", ""),
        ("30005", ""),
        ("550", ""),
        ("", ""),
    ],
)
def test_only_some_codes_close_the_address(code: str, reason: str) -> None:
    assert meaning(code).closes == reason


def test_every_rule_can_be_read_by_staff() -> None:
    for rule in RULES.values():
        assert rule.sentence[0].isupper()
        assert rule.sentence.endswith(".")
